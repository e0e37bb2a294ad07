/**
 * Puts the primary's row into the user cache again, some time after a change: whatever a slow reader put back in
 * between is overwritten.
 */
import type { ExternalConsumer } from "../../platform/outbox";

/** What it needs of the user cache. */
export interface UserRefresher {
  /** Reads the primary and writes the value, or the tombstone of a user that is gone. */
  refresh(userId: string): Promise<void>;
}

export function cacheRefresh(users: UserRefresher): ExternalConsumer {
  return { kind: "external", isRepeatable: true, act: async (event) => await users.refresh(event.subject) };
}
