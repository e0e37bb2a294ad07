/** The whole schema, out of what each file of this folder adds when it is loaded. It is written out in schema.graphql. */
import "./users";
import "./products";
import "./orders";
import "./auth";
import { builder } from "./builder";

builder.queryType({});
builder.mutationType({});

export const schema = builder.toSchema();
