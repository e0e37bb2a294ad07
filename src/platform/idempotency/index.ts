/** The door of `Idempotency-Key`: a call that is repeated with its key takes effect once and answers the same. */
export { type Attempt, type Opened, runOnce, unkeyed } from "./attempt";
export { isIdempotencyKey } from "./key";
export { KeyedAttempt, type KeyedCall, type Rendered, type Rendering } from "./keyed-attempt";
export { sweepIdempotencyRecords } from "./records";
