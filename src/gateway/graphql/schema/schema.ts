/** The whole schema, out of what each file of this folder adds when it is loaded. It is written out in schema.graphql. */
import "./users";
import "./products";
import "./orders";
import "./auth";
import type { GraphQLSchema } from "graphql";
import { builder } from "./builder";

builder.queryType({});
builder.mutationType({ description: "Each mutation of a request costs one of the caller's budget." });

export const schema: GraphQLSchema = builder.toSchema();
