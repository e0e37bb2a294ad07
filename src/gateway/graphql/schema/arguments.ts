/** Arguments that fields share, read by the rules of the other protocols. */
import type { GraphQLResolveInfo } from "graphql";
import { readId, readTarget } from "../../input";
import { granted } from "../call-context";

export function idOf({ id }: { readonly id: string }): string {
  return granted(readId(id));
}

/** What a change is for, and the version that it expects. */
export function targetOf(args: {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
}) {
  const { id, expectedVersion } = granted(readTarget(args));
  return { id, version: expectedVersion ?? null };
}

/** A root field's name, and its key in the response, which differs where there are aliases. */
export function placeOf({ fieldName, path }: GraphQLResolveInfo) {
  return { field: fieldName, path: String(path.key) };
}
