/** Arguments that calls share, read by the rules of the other protocols. */

import { done, type Outcome } from "../../kernel/errors";
import * as z from "../../kernel/schema";
import { expectedVersionSchema, idSchema, readInput } from "../input";
import type { CallOptions } from "./binding-call";

/** As the list's query over REST, but for `limit`, which is a number. */
export interface ListArguments {
  readonly limit?: number;
  readonly cursor?: string;
  readonly [filter: string]: unknown;
}

const byId = z.object({ id: idSchema });
const target = z.object({ id: idSchema, expectedVersion: expectedVersionSchema });

export function idOf(given: unknown): Outcome<string> {
  const read = readInput(byId, { id: given });
  return read.ok ? done(read.value.id) : read;
}

export function targetOf(id: unknown, { expectedVersion }: CallOptions) {
  return readInput(target, { id, expectedVersion });
}
