/** A session as its owner sees it. */
import { toTimestamp } from "../../kernel/clock";
import type { SessionRow } from "./model";
import type { Session } from "./schemas";

/** @param currentId the session that the call itself belongs to; null for none */
export function toSession(row: SessionRow, currentId: string | null): Session {
  return {
    id: row.id,
    isCurrent: row.id === currentId,
    device: row.device,
    location: row.location,
    createdAt: toTimestamp(row.createdAt),
    lastSeenAt: toTimestamp(row.lastSeenAt),
    expiresAt: toTimestamp(row.expiresAt),
  };
}
