/**
 * Refresh tokens: opaque, 256 bits, each good for one exchange. A token's successor is derived from it under a server
 * key, so that all who present one token within the grace get the same successor and the chain stays single:
 *
 * ```
 * T0 --HMAC--> T1 --HMAC--> T2        stored: SHA-256 of each, and when it was used
 * used         used         unused    the chain's end
 * ```
 *
 * Without the key nobody can compute a successor, and from the database nobody can compute a token.
 */
import { randomBytes } from "../../platform/clock";
import type { Deriver } from "../../platform/deriver";
import { sha256, toBase64Url } from "../../platform/encoding";

/** How long a used token still gives the same successor: two tabs, or an answer that was lost. */
export const REFRESH_GRACE_MS = 10_000;

/**
 * How far a chain is followed within one grace. A client that refreshes more often than this in ten seconds, with two
 * tabs out of step, is given the last of these.
 */
const SUCCESSORS_MAX = 4;

const PURPOSE = "refresh token successor";
const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export interface RefreshToken {
  readonly token: string;
  readonly digest: string;
}

export async function newRefreshToken(): Promise<RefreshToken> {
  return await withDigest(toBase64Url(randomBytes(TOKEN_BYTES)));
}

/** The presented token with its successors in order; null when it is not of our form. */
export async function chainOf(
  deriver: Deriver,
  presented: string,
): Promise<{
  readonly digest: string;
  readonly successors: readonly [RefreshToken, ...RefreshToken[]];
} | null> {
  if (!TOKEN.test(presented)) return null;
  const first = await withDigest(await deriver.derive(PURPOSE, presented));
  const successors: [RefreshToken, ...RefreshToken[]] = [first];
  while (successors.length < SUCCESSORS_MAX) {
    const last = successors.at(-1) ?? first;
    successors.push(await withDigest(await deriver.derive(PURPOSE, last.token)));
  }
  return { digest: await digestOf(presented), successors };
}

async function withDigest(token: string): Promise<RefreshToken> {
  return { token, digest: await digestOf(token) };
}

/** What is stored in place of a token. 256 random bits need no salt and no slow hash. */
export async function digestOf(token: string): Promise<string> {
  return toBase64Url(await sha256(token));
}
