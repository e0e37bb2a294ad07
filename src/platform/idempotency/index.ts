/** `Idempotency-Key`: a call that is repeated with its key takes effect once and answers the same. */
export { type CallKey, NO_KEY, type Opened, runOnce } from "./call-key";
export { HeldKey, type KeyedCall } from "./held-key";
export { isIdempotencyKey } from "./key";
export { sweepIdempotencyRecords } from "./records";
