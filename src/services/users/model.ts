/** The user as every protocol shows it. Nothing secret is in it, so it may lie in caches. */
import type { Role } from "../../kernel/actor";
import type { Precondition } from "../../kernel/entity-tag";

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

/** What a change may set. An absent member stays as it is. */
export interface UserChanges {
  readonly name?: string;
  readonly age?: number | null;
  readonly role?: Role;
  readonly profile?: Partial<Profile>;
  /** `immediate` replaces the address, unverified; `pending` waits for its confirmation. */
  readonly email?: { readonly address: string; readonly mode: "immediate" | "pending" };
}

/** A change that is about to be made. */
export interface ChangeContext {
  readonly id: string;
  /** Of the event that tells of it; the row carries it then. */
  readonly eventId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly precondition: Precondition;
}

export const EMPTY_PROFILE: Profile = { bio: null, avatarUrl: null, locale: null, timezone: null };

/** What makes addresses equal: the whole address without regard to case. */
export function emailKey(email: string): string {
  return email.toLowerCase();
}
