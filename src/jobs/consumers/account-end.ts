/** What an account's end, and its sessions' end, mean for what the auth service keeps. */
import type { ExternalConsumer, TransactionalConsumer } from "../../platform/outbox";
import type { AuthService } from "../../services/auth";

/** `user.deleted`: sessions, tokens and foreign identities go with their user. */
export function accountErasure(auth: AuthService): TransactionalConsumer {
  return { kind: "transactional", prepare: (event) => ({ statements: auth.erasureOf(event.subject) }) };
}

/**
 * Writes a revocation to the user's object again. It was written before the change was committed; this repetition
 * mends an object that lost it.
 */
export function revocationRepeat(auth: AuthService): ExternalConsumer {
  return {
    kind: "external",
    isRepeatable: true,
    act: async (event) => await auth.repeatRevocation(event),
  };
}
