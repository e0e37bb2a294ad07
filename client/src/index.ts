/** `@meridian/client`. */
export type { CallOptions, DataOf, ItemOf, ListPaths, PathsOf, Schemas } from "./calls";
export { type Answer, Client, type ClientOptions, type Session } from "./client";
export { type ErrorCode, isRefusal, MeridianError, NetworkError, type Problem } from "./errors";
