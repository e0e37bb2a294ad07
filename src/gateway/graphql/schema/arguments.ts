/** Arguments that fields share, read by the rules of the other protocols. */
import type { GraphQLResolveInfo } from "graphql";
import * as z from "../../../kernel/schema";
import { expectedVersionSchema, idSchema, readInput } from "../../input";
import { granted } from "../call-context";

const idArguments = z.object({ id: idSchema });
const targetArguments = z.object({ id: idSchema, expectedVersion: expectedVersionSchema });

export function idOf(args: { readonly id: string }): string {
  return granted(readInput(idArguments, args)).id;
}

/** What a change is for, and the version that it expects. */
export function targetOf(args: {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
}) {
  const { id, expectedVersion } = granted(readInput(targetArguments, args));
  return { id, version: expectedVersion ?? null };
}

/** A root field's name, and its key in the response, which differs where there are aliases. */
export function placeOf({ fieldName, path }: GraphQLResolveInfo) {
  return { field: fieldName, path: String(path.key) };
}
