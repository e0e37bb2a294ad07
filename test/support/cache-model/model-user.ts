/** A user of the model: nothing but the version matters, which is the number of the commit that made it. */
import type { User } from "../../../src/services/users";
import type { Account } from "../../../src/services/users/model";

export function accountOf(id: string, version: number): Account {
  return { user: userOf(id, version), tokenEpoch: 1, lastChangeId: String(version) };
}

function userOf(id: string, version: number): User {
  const profile = { bio: null, avatarUrl: null, locale: null, timezone: null };
  const at = "2026-11-22T10:00:00.000Z";
  return {
    id,
    version,
    profile,
    name: "Ada Lovelace",
    email: "ada@example.com",
    pendingEmail: null,
    age: null,
    role: "user",
    emailVerified: true,
    createdAt: at,
    updatedAt: at,
  };
}
