/** What the auth service takes and answers, the same for every protocol. Unknown fields of an input are refused. */

import { onFirstCall } from "../../kernel/on-first-call";
import { id, text, time } from "../../kernel/output-fields";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../../kernel/password-policy";
import * as z from "../../kernel/schema";
import { emailSchema, userSchema } from "../users";

/** Bounds what has to be looked at; length and strength are the password policy's. */
const password = onFirstCall(() =>
  z
    .string()
    .check(
      z.minLength(1, "Must not be empty."),
      z.maxLength(1_024, "Must have at most 128 characters."),
      z.meta({ format: "password" }),
    ),
);
const newPassword = onFirstCall(() =>
  password().check(z.meta({ minLength: PASSWORD_LENGTH_MIN, maxLength: PASSWORD_LENGTH_MAX })),
);
/** Whether it is one of ours is not a matter of form: anything else is simply not valid. */
const opaqueToken = onFirstCall(() =>
  z.string().check(z.minLength(1, "Must not be empty."), z.maxLength(4_096, "Is no token of ours.")),
);

export const logInSchema = onFirstCall(() => z.strictObject({ email: emailSchema(), password: password() }));
export type LogInInput = z.Made<typeof logInSchema>;

export const refreshSchema = onFirstCall(() => z.strictObject({ refreshToken: opaqueToken() }));

export const forgotPasswordSchema = onFirstCall(() => z.strictObject({ email: emailSchema() }));

export const resetPasswordSchema = onFirstCall(() =>
  z.strictObject({ token: opaqueToken(), password: newPassword() }),
);
export type ResetPasswordInput = z.Made<typeof resetPasswordSchema>;

export const changePasswordSchema = onFirstCall(() =>
  z.strictObject({ currentPassword: password(), newPassword: newPassword() }),
);
export type ChangePasswordInput = z.Made<typeof changePasswordSchema>;

export const verifyEmailSchema = onFirstCall(() => z.strictObject({ token: opaqueToken() }));

export const tokenPairSchema = onFirstCall(() =>
  z.strictObject({
    accessToken: text(4_096).check(z.describe("A JWT for `Authorization: Bearer`.")),
    tokenType: z.literal("Bearer"),
    expiresIn: z
      .int()
      .check(z.minimum(1), z.maximum(86_400), z.describe("Seconds that the access token lives.")),
    refreshToken: text(4_096),
  }),
);
export type TokenPair = z.Model<typeof tokenPairSchema>;

export const logInAnswerSchema = onFirstCall(() =>
  z.strictObject({ ...tokenPairSchema().shape, user: userSchema() }),
);
export type LogIn = z.Model<typeof logInAnswerSchema>;

export const sessionSchema = onFirstCall(() =>
  z.strictObject({
    id: id(),
    isCurrent: z.boolean().check(z.describe("Whether this call belongs to the session.")),
    device: text(500),
    location: z.nullable(text(200)),
    createdAt: time(),
    lastSeenAt: time(),
    expiresAt: time(),
  }),
);
export type Session = z.Model<typeof sessionSchema>;

/** A public key as published: no private member. Source: RFC 7517, section 4; RFC 7518, section 6.2. */
export const publicKeySchema = onFirstCall(() =>
  z.strictObject({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    kid: text(100),
    x: text(43),
    y: text(43),
    alg: z.literal("ES256"),
    use: z.literal("sig"),
  }),
);

const account = onFirstCall(() => z.strictObject({ userId: z.uuid() }));

/** Schemas of the events' `data`. */
export const authEventData = {
  "session.ended": onFirstCall(() =>
    z.strictObject({ userId: z.uuid(), sessionIds: z.array(z.uuid()), reason: z.string() }),
  ),
  "session.reuse_detected": onFirstCall(() => z.strictObject({ userId: z.uuid(), sessionId: z.uuid() })),
  "password.reset_requested": account,
  "password.changed": onFirstCall(() =>
    z.strictObject({ userId: z.uuid(), method: z.enum(["change", "reset"]) }),
  ),
  "email.verification_requested": account,
} as const;
