/** What a line of the table of use cases says, and the words in which `use-cases.ts` says it. */
import type { Page } from "../kernel/cursor";
import type { Outcome } from "../kernel/errors";
import type * as z from "../kernel/schema";
import type { Call } from "../platform/call";
import type { Services } from "./request-context";

/** A schema that is made when it is first used. */
export type Schema = () => z.ZodMiniType;

/** The parsed value of a schema; null for a use case without that schema. */
export type Read<S extends Schema | null> = S extends Schema ? z.Made<S> : null;

type Run<Target extends Schema | null, Input extends Schema | null, Value> = (
  services: Services,
  call: Call,
  target: Read<Target>,
  input: Read<Input>,
) => Promise<Outcome<Value>>;

/** What few use cases have. */
export interface Traits<Value> {
  /** False for a use case that mostly answers from the isolate's memory, where a span costs more than it shows. */
  readonly hasSpan: boolean;
  /** The answer holds tokens, so no cache may store it. */
  readonly isSecret: boolean;
  /** Counts the outcome. */
  readonly observe: (outcome: Outcome<Value>) => void;
}

/** A use case with one outcome. */
export interface UseCase<Target extends Schema | null, Input extends Schema | null, Value>
  extends Traits<Value> {
  /** Changes nothing. */
  readonly isSafe: boolean;
  /** An `Idempotency-Key` makes it take effect once. */
  readonly takesKey: boolean;
  /** `If-Match`, or the expected version, decides about it. */
  readonly takesPrecondition: boolean;
  /** Reads the id of what the use case is about. */
  readonly target: Target;
  readonly input: Input;
  readonly run: Run<Target, Input, Value>;
}

/** A use case that answers a page. */
export interface Cursors<Input, Item> {
  /** The cursor after an item of the list. */
  readonly cursorOf: (services: Services, call: Call, query: Input, item: Item) => Promise<string>;
}

/** A use case that GraphQL's loaders run for many ids at once: one outcome for each, in their order. */
export interface Batch<Input, Value> {
  readonly batch: (
    services: Services,
    call: Call,
    ids: readonly string[],
    input: Input,
  ) => Promise<readonly Outcome<Value>[]>;
}

/** A use case with outcomes until it ends. A refusal is the last. */
export interface StreamedUseCase<Target extends Schema, Value> {
  readonly target: Target;
  readonly stream: (
    services: Services,
    call: Call,
    target: Read<Target>,
    signal: AbortSignal,
  ) => AsyncGenerator<Outcome<Value>>;
}

const USUAL: Traits<unknown> = { hasSpan: true, isSecret: false, observe: () => undefined };

function kind(flags: Pick<UseCase<null, null, unknown>, "isSafe" | "takesKey" | "takesPrecondition">) {
  return <Target extends Schema | null, Input extends Schema | null, Value>(
    target: Target,
    input: Input,
    run: Run<Target, Input, Value>,
    traits: Partial<Traits<Value>> = {},
  ): UseCase<Target, Input, Value> => ({ ...USUAL, ...flags, target, input, run, ...traits });
}

/** A use case that changes nothing. */
export const read = kind({ isSafe: true, takesKey: false, takesPrecondition: false });
/** A use case that changes something, under a key once. */
export const write = kind({ isSafe: false, takesKey: true, takesPrecondition: false });
/** A `write` of something that has versions. */
export const change = kind({ isSafe: false, takesKey: true, takesPrecondition: true });
/** A use case that changes something and records nothing under a key. */
export const unrecorded = kind({ isSafe: false, takesKey: false, takesPrecondition: false });

/** A `read` that answers a page. */
export function list<Input extends Schema, Item>(
  input: Input,
  run: Run<null, Input, Page<Item>>,
  cursorOf: Cursors<Read<Input>, Item>["cursorOf"],
): UseCase<null, Input, Page<Item>> & Cursors<Read<Input>, Item> {
  return { ...read(null, input, run), cursorOf };
}

/** The same use case, also for many ids at once. */
export function batched<
  Target extends Schema | null,
  Input extends Schema | null,
  Value,
  Line extends UseCase<Target, Input, Value>,
>(
  line: Line & UseCase<Target, Input, Value>,
  batch: Batch<Read<Input>, Value>["batch"],
): Line & Batch<Read<Input>, Value> {
  return { ...line, batch };
}
