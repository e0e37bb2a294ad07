/** The user as every protocol shows it. Nothing secret is in it, so it may lie in caches. */
import type { Role } from "../../kernel/actor";

export interface Profile {
  readonly bio: string | null;
  readonly avatarUrl: string | null;
  /** BCP 47 */
  readonly locale: string | null;
  /** IANA */
  readonly timezone: string | null;
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  /** The owner's new address until it is confirmed. */
  readonly pendingEmail: string | null;
  readonly age: number | null;
  readonly role: Role;
  readonly emailVerified: boolean;
  readonly profile: Profile;
  /** From 1; its entity tag. */
  readonly version: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const EMPTY_PROFILE: Profile = { bio: null, avatarUrl: null, locale: null, timezone: null };

/** What makes addresses equal: the whole address without regard to case. */
export function emailKey(email: string): string {
  return email.toLowerCase();
}
