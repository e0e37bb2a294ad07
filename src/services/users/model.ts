/** The user as every protocol shows it. Nothing secret is in it, so it may lie in caches. */
import type { Role } from "../../kernel/actor";
import type { Precondition } from "../../kernel/entity-tag";
import type * as z from "../../kernel/schema";
import type { profileSchema, userSchema } from "./schemas";

export type Profile = z.Model<typeof profileSchema>;
export type User = z.Model<typeof userSchema>;

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
