/** Input rules of the auth service, the same for every protocol. Unknown fields are refused. */

import { onFirstCall } from "../../kernel/on-first-call";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../../kernel/password-policy";
import * as z from "../../kernel/schema";
import { emailSchema } from "../users";

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
