/** A token that somebody shows to ask whose it is, rather than to call with it. */
import { done, type Outcome, refuse } from "../kernel/errors";
import type { BearerToken } from "../services/auth";
import type { Services } from "./request-context";

/**
 * Its session, or whom its issuer's subject is here, is read from D1: a lease is not asked for a stranger's sake.
 * **Errors**: `unauthenticated`, `token_expired`, `token_revoked`. **Cost**: 1 D1 round trip; 2 for an
 * issuer's subject that is not remembered.
 */
export async function verifyPresented(
  { auth, authenticator }: Pick<Services, "auth" | "authenticator">,
  presented: string,
): Promise<Outcome<BearerToken>> {
  const verified = await authenticator.verify(presented);
  if (!verified.ok) return verified;
  const token = verified.value;
  // Of a foreign one D1 says who it is now: its role may not be the one that is remembered.
  const good =
    token.sessionId === null
      ? await authenticator.verifyAnew(presented)
      : (await auth.isValid(token)) && token;
  return good ? done(good) : refuse("token_revoked", "The session of this token was ended.");
}
