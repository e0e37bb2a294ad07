/**
 * Runs use cases for every protocol: charge, input, call, idempotency key, span and metric are made here and nowhere else.
 */
import { type Actor, actorLabel } from "../kernel/actor";
import type { Page } from "../kernel/cursor";
import { expectVersion, NO_PRECONDITION, type Precondition } from "../kernel/entity-tag";
import { done, type Outcome, type Refusal } from "../kernel/errors";
import { type Call, callBy } from "../platform/call";
import { type CallKey, HeldKey, type KeyedCall, NO_KEY, runOnce } from "../platform/idempotency";
import { addressKey, userKey } from "../platform/limiter";
import { inSpan } from "../platform/observability/tracing";
import type { Scope } from "../platform/scope";
import { type idSchema, readId, readInput, readTarget, renamed } from "./input";
import type { Services } from "./request-context";
import type { Batch, Cursors, Read, Schema, StreamedUseCase, UseCase } from "./use-case";
import { STREAMS, USE_CASES } from "./use-cases";

/** Who calls, and how: what a protocol knows of a request. */
export interface Requester {
  readonly protocol: KeyedCall["protocol"];
  readonly services: Services;
  readonly scope: Scope;
  readonly actor: Actor;
  /** `DATA_KEY` */
  readonly dataKey: string;
  /** `Idempotency-Key`, well-formed; undefined without one. */
  readonly key: string | undefined;
  /** `CF-Connecting-IP` */
  readonly address: string | undefined;
  /** What the protocol calls a member of the input that has another name in the schema. */
  readonly names: Readonly<Record<string, string>>;
  /** How many unsafe use cases of this request have begun. */
  begun: number;
  /** Charges one more use case of this request; the refusal, if it is refused. **Errors**: `unavailable`. */
  admitAgain(): Promise<Refusal | null>;
  /** Called when the answer is an earlier call's. */
  onReplay(): void;
  /** Called when the answer holds tokens. */
  onSecret(): void;
}

type Table = typeof USE_CASES;
export type UseCaseName = keyof Table;
export type TargetOf<N extends UseCaseName> = Read<Table[N]["target"]>;
export type InputOf<N extends UseCaseName> = Read<Table[N]["input"]>;
export type ValueOf<N extends UseCaseName> =
  Awaited<ReturnType<Table[N]["run"]>> extends Outcome<infer Value> ? Value : never;
type NamesWith<Members> = { [N in UseCaseName]: Table[N] extends Members ? N : never }[UseCaseName];
/** Lists that give out a cursor for each item. */
export type ListName = NamesWith<{ readonly cursorOf: unknown }>;
export type ItemOf<N extends ListName> = Parameters<Table[N]["cursorOf"]>[3];
export type BatchName = NamesWith<{ readonly batch: unknown }>;
/** Use cases whose target, if they have one, is an id. */
export type ByIdName = { [N in UseCaseName]: TargetOf<N> extends string | null ? N : never }[UseCaseName];

export type StreamName = keyof typeof STREAMS;
type StreamedOf<N extends StreamName> =
  ReturnType<(typeof STREAMS)[N]["stream"]> extends AsyncGenerator<Outcome<infer Value>> ? Value : never;

/** The same tables, in the form in which TypeScript sees that a line fits its own name's types. */
const LINES: { readonly [N in UseCaseName]: UseCase<Table[N]["target"], Table[N]["input"], ValueOf<N>> } =
  USE_CASES;
const LISTS: { readonly [N in ListName]: Cursors<InputOf<N>, ItemOf<N>> } = USE_CASES;
const BATCHES: { readonly [N in BatchName]: Batch<InputOf<N>, ValueOf<N>> } = USE_CASES;
const STREAM_LINES: { readonly [N in StreamName]: StreamedUseCase<typeof idSchema, StreamedOf<N>> } = STREAMS;

/** What belongs to one call, beside its target and its input. */
export interface CallTerms {
  readonly precondition?: Precondition;
  /** The call's place in a request that may hold several. */
  readonly place?: string;
}

/**
 * Runs a use case on what its schemas have read. **Errors**: those of the use case; `idempotency_key_reused`,
 * `idempotency_in_progress`.
 */
export function runUseCase<N extends UseCaseName>(
  on: Requester,
  name: N,
  target: TargetOf<N>,
  input: InputOf<N>,
  terms?: CallTerms,
): Promise<Outcome<ValueOf<N>>> {
  const line = LINES[name];
  if (!line.hasSpan) return line.run(on.services, callBy(on.actor), target, input);
  return inSpan(name, {}, async () => {
    if (line.isSecret) on.onSecret();
    const precondition = (line.takesPrecondition && terms?.precondition) || NO_PRECONDITION;
    const key = line.takesKey ? keyOf(on, name, target, { input, precondition }, terms?.place) : NO_KEY;
    const call: Call = { actor: on.actor, key, precondition };
    const outcome = await runOnce(key, () => line.run(on.services, call, target, input));
    if (key.isReplay && outcome.ok) on.onReplay();
    line.observe(outcome);
    return outcome;
  });
}

/** What a caller sends, before it is read. */
export interface Given {
  readonly id?: unknown;
  /** As `If-Match`. */
  readonly expectedVersion?: unknown;
  readonly input?: unknown;
  readonly place?: string;
}

/**
 * Charges, reads and runs a use case. A request has paid for its first use case; each further unsafe one pays for itself.
 * **Errors**: the refusal of its admission, `validation_failed`, and as `runUseCase`; pointers in the protocol's words.
 */
export async function callUseCase<N extends ByIdName>(
  on: Requester,
  name: N,
  given: Given,
): Promise<Outcome<ValueOf<N>>> {
  const refusal = LINES[name].isSafe ? null : await charge(on);
  if (refusal !== null) return { ok: false, refusal };
  const target = readTargetOf(name, given);
  if (!target.ok) return target;
  const input = readInputOf(on, name, given.input);
  if (!input.ok) return input;
  const { id, expectedVersion } = target.value;
  const terms = { precondition: expectVersion(expectedVersion), ...placed(given) };
  return inOwnWords(on, await runUseCase(on, name, id, input.value, terms));
}

/** Reads an input by its schema. **Errors**: `validation_failed`, with pointers in the protocol's words. */
export function readInputOf<N extends UseCaseName>(
  on: Requester,
  name: N,
  given: unknown,
): Outcome<InputOf<N>> {
  const { input } = LINES[name];
  if (input === null) return done(null as InputOf<N>); // A line without a schema has no input.
  const schema: Schema = input;
  return readInput(schema, given, on.names) as Outcome<InputOf<N>>; // Its own schema has read it.
}

/** Returns the outcome with pointers in the protocol's words: REST's lists call theirs `#/query/cursor`. */
export function inOwnWords<T>({ names }: Requester, outcome: Outcome<T>): Outcome<T> {
  if (outcome.ok || outcome.refusal.violations === undefined) return outcome;
  const violations = renamed(outcome.refusal.violations, names);
  return { ok: false, refusal: { ...outcome.refusal, violations } };
}

/** Runs a use case for many ids: one outcome for each, in their order. Permission is checked for each. */
export async function runBatch<N extends BatchName>(
  on: Requester,
  name: N,
  ids: readonly string[],
  input: InputOf<N>,
): Promise<readonly Outcome<ValueOf<N>>[]> {
  return await inSpan(name, { ids: ids.length }, () =>
    BATCHES[name].batch(on.services, callBy(on.actor), ids, input),
  );
}

/** Runs the use case of a list. **Errors**: those of the use case, with pointers in the protocol's words. */
export async function runList<N extends ListName>(
  on: Requester,
  name: N,
  query: InputOf<N>,
): Promise<Outcome<Page<ItemOf<N>>>> {
  const outcome = await runUseCase(on, name, null as TargetOf<N>, query); // A list has no target.
  return inOwnWords(on, outcome) as Outcome<Page<ItemOf<N>>>; // Every list answers a page.
}

/** Returns what gives the cursor of each item of a list. */
export function cursorsOf<N extends ListName>(on: Requester, name: N, query: InputOf<N>) {
  return (item: ItemOf<N>): Promise<string> =>
    LISTS[name].cursorOf(on.services, callBy(on.actor), query, item);
}

/** Runs a use case until its stream ends, `signal` says stop, or it is refused. **Errors**: as `callUseCase`. */
export async function* streamUseCase<N extends StreamName>(
  on: Requester,
  name: N,
  given: Pick<Given, "id">,
  signal: AbortSignal,
): AsyncGenerator<Outcome<StreamedOf<N>>> {
  const id = readId(given.id);
  if (!id.ok) return yield id;
  yield* STREAM_LINES[name].stream(on.services, callBy(on.actor), id.value, signal);
}

async function charge(on: Requester): Promise<Refusal | null> {
  on.begun += 1;
  return on.begun === 1 ? null : await on.admitAgain();
}

function readTargetOf<N extends ByIdName>(
  name: N,
  given: Given,
): Outcome<{ readonly id: TargetOf<N>; readonly expectedVersion?: number | null | undefined }> {
  const { target, takesPrecondition } = LINES[name];
  if (target === null) return done({ id: null as TargetOf<N> }); // A line without a schema has no target.
  const { id, expectedVersion } = given;
  const read = readTarget(takesPrecondition ? { id, expectedVersion } : { id });
  return read as Outcome<{ readonly id: TargetOf<N> }>; // The only schema of such a target is that of an id.
}

function placed({ place }: Given): Pick<CallTerms, "place"> {
  return place === undefined ? {} : { place };
}

function keyOf(
  on: Requester,
  useCase: UseCaseName,
  target: unknown,
  input: { readonly input: unknown; readonly precondition: Precondition },
  place: string | undefined,
): CallKey {
  const { key, protocol, actor, address } = on;
  if (key === undefined) return NO_KEY;
  const whole = JSON.stringify([target, ...(place === undefined ? [] : [place])]);
  const caller = callerKey(actor, address);
  return new HeldKey({ key, caller, useCase, target: whole, protocol, input }, on);
}

/** Whose key it is: the user's, the Worker's or, without either, the address's. */
function callerKey(actor: Actor, address: string | undefined): string {
  switch (actor.kind) {
    case "user":
      return userKey(actor.userId);
    case "system":
      return actorLabel(actor);
    case "anonymous":
      return addressKey(address);
  }
}
