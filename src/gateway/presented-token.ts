/** A token that a caller presents to learn whose it is, rather than to call with it. */
import { done, type Outcome, refuse } from "../kernel/errors";
import type { BearerToken } from "../services/auth";
import type { Services } from "./request-context";

/** We issue none that is longer. */
const TOKEN_LENGTH_MAX = 4_096;

/**
 * Returns whose token it is. Its session, or the user of its issuer's subject, is read from D1: no lease is made for it.
 * **Errors**: `unauthenticated`, `token_expired`, `token_revoked`. **Cost**: 1 D1 round trip; 2 for an
 * issuer's subject that is not remembered.
 */
export async function verifyPresented(
  { auth, authenticator }: Pick<Services, "auth" | "authenticator">,
  presented: unknown,
): Promise<Outcome<BearerToken>> {
  if (typeof presented !== "string" || presented.length > TOKEN_LENGTH_MAX)
    return refuse("unauthenticated", "The access token is not valid.");
  const verified = await authenticator.verify(presented);
  if (!verified.ok) return verified;
  const token = verified.value;
  // The role of a foreign token may not be the one that is remembered: D1 knows.
  const good =
    token.sessionId === null
      ? await authenticator.verifyAnew(presented)
      : (await auth.isValid(token)) && token;
  return good ? done(good) : refuse("token_revoked", "The session of this token was ended.");
}
