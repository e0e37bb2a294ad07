/** Users, and what they log in with. */
import * as z from "zod";
import { ROLES } from "../../../src/kernel/actor";
import type { PublicKey, Session, TokenPair } from "../../../src/services/auth";
import type { Profile, User } from "../../../src/services/users";
import { id, model, text, time, token, version } from "./fields";

export const profile = model<Profile>()({
  bio: text(2_000).nullable(),
  avatarUrl: text(2_048).meta({ format: "uri" }).nullable(),
  locale: text(35).nullable().describe("BCP 47."),
  timezone: text(64).nullable().describe("IANA."),
});

export const user = model<User>()({
  id,
  name: text(100),
  email: text(254).meta({ format: "email" }),
  pendingEmail: text(254)
    .meta({ format: "email" })
    .nullable()
    .describe("The owner's new address until it is confirmed."),
  age: z.int().min(1).max(150).nullable(),
  role: z.enum(ROLES),
  emailVerified: z.boolean(),
  profile,
  version,
  createdAt: time,
  updatedAt: time,
});

export const tokenPair = model<TokenPair>()({
  accessToken: token.describe("A JWT for `Authorization: Bearer`."),
  tokenType: z.literal("Bearer"),
  expiresIn: z.int().min(1).max(86_400).describe("Seconds that the access token lives."),
  refreshToken: token,
});

export const session = model<Session>()({
  id,
  isCurrent: z.boolean().describe("Whether the call that asks belongs to it."),
  device: text(500),
  location: text(200).nullable(),
  createdAt: time,
  lastSeenAt: time,
  expiresAt: time,
});

export const jsonWebKey = model<PublicKey>()({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  kid: text(100),
  x: text(43),
  y: text(43),
  alg: z.literal("ES256"),
  use: z.literal("sig"),
});
