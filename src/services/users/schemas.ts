/** What the users service takes and answers, the same for every protocol. Unknown fields of an input are refused. */

import { ROLES } from "../../kernel/actor";
import { onFirstCall } from "../../kernel/on-first-call";
import { address, id, text, time, uri, version } from "../../kernel/output-fields";
import { instantSchema, pageSchema } from "../../kernel/paging";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../../kernel/password-policy";
import * as z from "../../kernel/schema";
import {
  codePoints,
  isPlainLine,
  isPlainText,
  PLAIN_LINE_PATTERN,
  PLAIN_TEXT_PATTERN,
} from "../../kernel/text";

const LINE_RULE = "May not contain control characters, lone surrogates or bidirectional overrides.";

export const nameSchema = onFirstCall(() =>
  z.string().check(
    // Bounded before anything walks it: a body may hold 256 KiB of text.
    z.maxLength(1_000, "Must have at most 100 characters."),
    z.trim(),
    z.refine(isPlainLine, { error: LINE_RULE, params: { code: "forbidden_characters" } }),
    z.refine((value) => codePoints(value) >= 3, {
      error: "Must have at least 3 characters.",
      params: { code: "too_short" },
    }),
    z.refine((value) => codePoints(value) <= 100, {
      error: "Must have at most 100 characters.",
      params: { code: "too_long" },
    }),
    z.meta({ minLength: 3, maxLength: 100, pattern: PLAIN_LINE_PATTERN }),
  ),
);

/** ASCII only, by the rule of HTML's e-mail input: look-alike letters of other scripts cannot pass for an address. */
export const emailSchema = onFirstCall(() =>
  z
    .pipe(
      z.string().check(z.maxLength(254, "Must have at most 254 characters."), z.trim()),
      z.email({ pattern: z.HTML_EMAIL, error: "Must be an e-mail address." }),
    )
    .check(
      z.refine((value) => value.slice(0, value.lastIndexOf("@")).length <= 64, {
        error: "The part before the @ may have at most 64 characters.",
        params: { code: "too_long" },
      }),
      z.refine((value) => value.slice(value.lastIndexOf("@")).includes("."), {
        error: "Must be an e-mail address.",
        params: { code: "invalid_format" },
      }),
      z.meta({ format: "email", minLength: 6 }),
    ),
);

const age = onFirstCall(() =>
  z
    .int("Must be a whole number.")
    .check(z.minimum(1, "Must be at least 1."), z.maximum(150, "Must be at most 150.")),
);

const bio = () =>
  z
    .string()
    .check(
      z.maxLength(2_000, "Must have at most 2,000 characters."),
      z.refine(isPlainText, { error: LINE_RULE, params: { code: "forbidden_characters" } }),
      z.meta({ pattern: PLAIN_TEXT_PATTERN }),
    );

const avatarUrl = () =>
  z
    .pipe(
      z.string().check(z.maxLength(2_048, "Must have at most 2,048 characters.")),
      z.url({ protocol: /^https?$/, hostname: z.HOST_NAME, error: "Must be an http or https address." }),
    )
    .check(
      z.refine(isPlainLine, { error: LINE_RULE, params: { code: "forbidden_characters" } }),
      z.meta({ format: "uri", pattern: "^[hH][tT][tT][pP][sS]?:" }),
    );

const locale = () =>
  z
    .string()
    .check(
      z.maxLength(35, "Must have at most 35 characters."),
      z.refine(isLocale, { error: "Must be a BCP 47 language tag.", params: { code: "invalid_format" } }),
      z.meta({ pattern: "^[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*$" }),
    );

const timezone = () =>
  z
    .string()
    .check(
      z.maxLength(64, "Must have at most 64 characters."),
      z.refine(isTimezone, { error: "Must be an IANA time zone.", params: { code: "invalid_format" } }),
      z.meta({ pattern: "^[A-Za-z]" }),
    );

const profile = onFirstCall(() =>
  z.strictObject({
    bio: z.nullish(bio()),
    avatarUrl: z.nullish(avatarUrl()),
    locale: z.nullish(locale()),
    timezone: z.nullish(timezone()),
  }),
);

export const signUpSchema = onFirstCall(() =>
  z.strictObject({
    name: nameSchema(),
    email: emailSchema(),
    /** Length and strength are the password policy's; this only bounds what it has to look at. */
    password: z.nullish(
      z
        .string()
        .check(
          z.maxLength(1_024, "Must have at most 128 characters."),
          z.meta({ format: "password", minLength: PASSWORD_LENGTH_MIN, maxLength: PASSWORD_LENGTH_MAX }),
        ),
    ),
    age: z.nullish(age()),
    profile: z.nullish(profile()),
  }),
);
export type SignUpInput = z.Made<typeof signUpSchema>;

/** PUT: the whole user. Without `age` or `profile` they are cleared; `role` is left as it is when absent. */
export const replaceUserSchema = onFirstCall(() =>
  z.strictObject({
    name: nameSchema(),
    email: emailSchema(),
    age: z.nullish(age()),
    profile: z.nullish(profile()),
    role: z.optional(z.enum(ROLES)),
  }),
);
export type ReplaceUserInput = z.Made<typeof replaceUserSchema>;

/** PATCH: a merge patch. Absent stays, null clears. Source: RFC 7396. */
export const patchUserSchema = onFirstCall(() =>
  z.strictObject({
    name: z.optional(nameSchema()),
    email: z.optional(emailSchema()),
    age: z.nullish(age()),
    profile: z.nullish(profile()),
    role: z.optional(z.enum(ROLES)),
  }),
);
export type PatchUserInput = z.Made<typeof patchUserSchema>;

export const profileSchema = onFirstCall(() =>
  z.strictObject({
    bio: z.nullable(text(2_000)),
    avatarUrl: z.nullable(uri(2_048)),
    locale: z.nullable(text(35)).check(z.describe("BCP 47.")),
    timezone: z.nullable(text(64)).check(z.describe("IANA.")),
  }),
);
export type Profile = z.Model<typeof profileSchema>;

/** The user as every protocol shows it. Nothing secret is in it, so caches may hold it. */
export const userSchema = onFirstCall(() =>
  z.strictObject({
    id: id(),
    name: text(100),
    email: address(),
    pendingEmail: z.nullable(address()).check(z.describe("The owner's new address until it is confirmed.")),
    age: z.nullable(z.int().check(z.minimum(1), z.maximum(150))),
    role: z.enum(ROLES),
    emailVerified: z.boolean(),
    profile: profileSchema(),
    version: version(),
    createdAt: time(),
    updatedAt: time(),
  }),
);
export type User = z.Model<typeof userSchema>;

export const USER_SORTS = ["createdAt", "-createdAt", "name", "-name"] as const;
export type UserSort = (typeof USER_SORTS)[number];

export const listUsersSchema = onFirstCall(() =>
  z.extend(pageSchema(), {
    sort: z._default(z.enum(USER_SORTS), "-createdAt"),
    email: z.optional(emailSchema()),
    /** Names that begin with this, letter for letter. */
    name: z.optional(z.string().check(z.minLength(1), z.maxLength(100))),
    role: z.optional(z.enum(ROLES)),
    createdAfter: z.optional(instantSchema()),
    createdBefore: z.optional(instantSchema()),
  }),
);
export type ListUsersQuery = z.Made<typeof listUsersSchema>;

function isLocale(value: string): boolean {
  try {
    return Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
}

function isTimezone(value: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: value });
    // Offsets such as +02:00 are accepted by Intl but are not IANA names.
    return /^[A-Za-z]/.test(value);
  } catch {
    return false;
  }
}

const account = onFirstCall(() => z.strictObject({ userId: z.uuid(), email: z.string() }));
const role = onFirstCall(() => z.strictObject({ userId: z.uuid(), role: z.enum(ROLES) }));
/** `currentEmail` is the address until `email` is proven. Its holder is notified at once. */
const addressChange = onFirstCall(() =>
  z.strictObject({ userId: z.uuid(), email: z.string(), currentEmail: z.string() }),
);

/** Schemas of the events' `data`. */
export const userEventData = {
  "user.created": account,
  "user.updated": account,
  "email.change_requested": addressChange,
  "user.role_changed": role,
  "user.deleted": account,
} as const;
