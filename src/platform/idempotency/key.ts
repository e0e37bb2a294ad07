/** The form of an `Idempotency-Key`. */

const KEY = /^[\x21-\x7e]{1,255}$/;

/** 1 to 255 visible ASCII characters. Quotes are part of it: the key is compared, never parsed. */
export function isIdempotencyKey(value: string): boolean {
  return KEY.test(value);
}
