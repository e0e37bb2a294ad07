/** Identifiers: UUID version 7, ordered by time of creation. */

export type NewId = () => string;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Any lower-case UUID of RFC 9562. Ours are version 7, but an id that is not ours is merely not found. */
export function isUuid(value: string): boolean {
  return UUID.test(value);
}

/**
 * Lays out a UUIDv7: 48 bits of time, then random bits under the version and variant marks.
 *
 * @param epochMs 0 to 2^48 - 1
 * @param random 10 bytes; the first two give `rand_a`, the rest `rand_b`
 * Source: RFC 9562, section 5.7.
 */
export function uuidV7(epochMs: number, random: Uint8Array): string {
  const time = epochMs.toString(16).padStart(12, "0");
  const digits = random.toHex();
  const variant = (((random[2] ?? 0) & 0x3f) | 0x80).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-${variant}${digits.slice(6, 8)}-${digits.slice(8)}`;
}
