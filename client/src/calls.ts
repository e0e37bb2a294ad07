/** The types of calls, read off the generated document: which paths a method has, what goes in and what comes out. */
import type { components, paths } from "./gen/api";

export type Schemas = components["schemas"];
export type Method = "get" | "post" | "put" | "patch" | "delete";

/** The paths that answer to a method. */
export type PathsOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];

type OperationOf<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? { body: B }
  : unknown;
type PathOf<O> = O extends { parameters: { path: infer P } } ? { path: P } : unknown;
type QueryOf<O> = O extends { parameters: { query?: infer Q } }
  ? [Q] extends [undefined]
    ? unknown
    : { query?: NonNullable<Q> }
  : unknown;

/** What a call of an operation takes. */
export type OptionsOf<P extends keyof paths, M extends Method> = BodyOf<OperationOf<P, M>> &
  PathOf<OperationOf<P, M>> &
  QueryOf<OperationOf<P, M>> &
  CallOptions;

export interface CallOptions {
  /** For an unsafe call; made up when absent. The same key again gets the recorded answer. */
  readonly idempotencyKey?: string;
  /** The `etag` of the version that was seen: with another one the call is refused, `precondition_failed`. */
  readonly ifMatch?: string;
  /** The `etag` that you have: `data` is null, and `status` 304, when it is current. */
  readonly ifNoneMatch?: string;
  readonly signal?: AbortSignal;
  /** Waits out a 429 of at most so many seconds. Default: the client's. */
  readonly waitSecondsMax?: number;
}

type ContentOf<R> = R extends { content: { "application/json": infer C } } ? C : null;
type SuccessOf<R> = { [S in keyof R & (200 | 201 | 202 | 204)]: ContentOf<R[S]> }[keyof R &
  (200 | 201 | 202 | 204)];

/** What an operation answers; null where there is no body. */
export type DataOf<P extends keyof paths, M extends Method> =
  OperationOf<P, M> extends { responses: infer R } ? SuccessOf<R> : never;

/** The lists that go on: their paths, and what is in them. */
export type ListPaths = {
  [P in PathsOf<"get">]: DataOf<P, "get"> extends { data: unknown[]; nextCursor: unknown } ? P : never;
}[PathsOf<"get">];
export type ItemOf<P extends ListPaths> = DataOf<P, "get"> extends { data: (infer I)[] } ? I : never;
