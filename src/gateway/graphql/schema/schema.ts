/** The whole schema, out of what each file of this folder adds when it is loaded. It is written out in schema.graphql. */
import "./users";
import "./products";
import "./orders";
import "./auth";
import { defaultFieldResolver, type GraphQLSchema } from "graphql";
import { beginMutation, type GraphqlContext } from "../call-context";
import { builder } from "./builder";

builder.queryType({});
builder.mutationType({ description: "Each mutation of a request costs one of the caller's budget." });

export const schema = beginningEachMutation(builder.toSchema());

/** No mutation can be added that forgets to. */
function beginningEachMutation(built: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(built.getMutationType()?.getFields() ?? {})) {
    const resolve = field.resolve ?? defaultFieldResolver;
    field.resolve = async (source, args, context: GraphqlContext, info) => {
      await beginMutation(context);
      return await resolve(source, args, context, info);
    };
  }
  return built;
}
