/** The user as every protocol shows it. Nothing secret is in it, so it may lie in caches. */
import type { Profile, User } from "./schemas";

/** A user with what decides about its account. Nothing secret is in it, so it may lie in caches. */
export interface Account {
  readonly user: User;
  readonly tokenEpoch: number;
  readonly lastChangeId: string;
}

export const EMPTY_PROFILE: Profile = { bio: null, avatarUrl: null, locale: null, timezone: null };
