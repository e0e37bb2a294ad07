/**
 * Configuration: every variable and secret, validated once an isolate. A wrong one answers 503 to every request and
 * is named in the log, value withheld. In development the log also says what form it must have and what was found.
 */

import { AppError } from "../kernel/errors";
import { parseHostName } from "../kernel/host-name";
import { onFirstCall } from "../kernel/on-first-call";
import * as z from "../kernel/schema";
import { type BuildTarget, buildTarget } from "./build-target";
import { faultLines, misspeltVariables } from "./config-advice";
import { kept } from "./isolate";
import { createLogger } from "./observability/logger";
import { VARIABLE_FORMS } from "./variable-forms";

/** Variables are text, or numbers where `wrangler.toml` says so. */
const number = z.transform(Number);

const count = (fallback: number, max = 1_000_000_000) =>
  z._default(z.pipe(number, z.int().check(z.minimum(1), z.maximum(max))), fallback);

const word = z.string().check(z.minLength(1));

const line = (lengthMax: number) => word.check(z.maxLength(lengthMax));

const flag = (fallback: boolean) =>
  z.pipe(
    z._default(z.enum(["true", "false"]), fallback ? "true" : "false"),
    z.transform((value) => value === "true"),
  );

const json = z.pipe(
  z.string(),
  z.transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.issues.push({ code: "custom", message: "is not JSON", input: text });
      return z.NEVER;
    }
  }),
);

const list = z.pipe(
  z._default(z.string(), ""),
  z.transform((value) =>
    value
      .split(",")
      .map((member) => member.trim())
      .filter((member) => member !== ""),
  ),
);

/** Origins as browsers send them, so that they can be compared: no path, no trailing slash, no pattern. */
const origins = z.pipe(list, z.array(z.string().check(z.refine((text) => text === "*" || isOrigin(text)))));

/** A host name in any spelling, as `parseHostName` returns it. */
const domain = z.pipe(
  z.string(),
  z.transform((text, context) => {
    const name = parseHostName(text);
    if (name !== null) return name;
    context.issues.push({ code: "custom", message: "is not a host name", input: text });
    return z.NEVER;
  }),
);

const address = z
  .string()
  .check(z.regex(/^(?:[^<>"\r\n]{1,100} <[^<>\s@]+@[^<>\s@]+>|[^<>\s@]+@[^<>\s@]+)$/));

/** 256 bits, base64url. */
const coordinate = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/));

const signingKey = onFirstCall(() =>
  z.looseObject({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    kid: line(100),
    x: coordinate,
    y: coordinate,
    d: coordinate,
  }),
);
/** A private P-256 JWK with its `kid`. */
export type SigningKey = z.Made<typeof signingKey>;

const budget = onFirstCall(() =>
  z.strictObject({
    limit: z.int().check(z.minimum(1), z.maximum(1_000_000)),
    windowSeconds: z.int().check(z.minimum(1), z.maximum(86_400)),
  }),
);
/** A number of attempts in a sliding window. */
export type Budget = z.Made<typeof budget>;

const eventExport = onFirstCall(() =>
  z.strictObject({
    /** Name of a queue binding of this Worker. */
    queue: z.string().check(z.regex(/^[A-Z][A-Z0-9_]{0,62}$/)),
    /** Event types, or `*` for all. */
    types: z.array(line(100)).check(z.minLength(1), z.maxLength(100)),
  }),
);
/** Another team's queue and the events that it wants. */
export type EventExport = z.Made<typeof eventExport>;

/** Plain http only to this machine, for development. */
const keysAddress = z
  .url({ protocol: /^https?$/ })
  .check(z.refine((url) => url.startsWith("https:") || /^http:\/\/(?:localhost|127\.0\.0\.1)[:/]/.test(url)));

const trustedIssuer = onFirstCall(() =>
  z.strictObject({
    /** Equal to the tokens' `iss`, character for character. */
    issuer: line(500),
    /** Where its JWK set is. */
    jwksUrl: keysAddress,
    /** Must be among the tokens' `aud`. */
    audience: line(500),
    /** Symmetric ones are not to be had: their key would have to be shared. */
    algorithms: z._default(
      z
        .array(
          z.enum(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]),
        )
        .check(z.minLength(1)),
      ["RS256", "ES256"],
    ),
    /** Whether a subject without a user becomes one with its first token. */
    createUsers: z._default(z.boolean(), false),
    /** Names of the claims. */
    claims: z.prefault(
      z.strictObject({
        email: z._default(word, "email"),
        emailVerified: z._default(word, "email_verified"),
        name: z._default(word, "name"),
        role: z.optional(word),
      }),
      {},
    ),
    /** Value of the role claim to role. Without it the claim is not looked at. */
    roles: z.optional(z.record(z.string(), z.enum(["user", "admin"]))),
  }),
);
/** Another issuer whose tokens are accepted. */
export type TrustedIssuer = z.Made<typeof trustedIssuer>;

/**
 * A bearer token as its reader takes it out of a header: visible ASCII. 16 characters are the least that was ever
 * accepted, so deployed tokens stay good; `npm start` and `npm run deploy` make 32.
 */
const bearerToken = z.string().check(
  z.regex(/^[\x21-\x7e]{16,}$/),
  z.refine((token) => token !== ONCE_AN_EXAMPLE),
);

/** Stood in `.dev.vars.example` and was accepted. Every reader of the repository knows it, so it guards nothing. */
const ONCE_AN_EXAMPLE = "at-least-24-random-bytes-in-base64url";

function isOrigin(text: string): boolean {
  if (!/^https?:\/\/[^*]+$/.test(text) || !URL.canParse(text)) return false;
  return new URL(text).origin === text;
}

const configSchema = onFirstCall(() =>
  z.object({
    RATE_LIMIT_MAX: count(100),
    RATE_LIMIT_WINDOW_SECONDS: count(900, 86_400),
    RATE_LIMIT_LEASE_MAX: z.optional(count(100)),
    ACCESS_TOKEN_TTL_SECONDS: count(900, 86_400),
    SESSION_TTL_SECONDS: count(604_800, 31_536_000),
    USER_CACHE_TTL_SECONDS: z._default(z.pipe(number, z.int().check(z.minimum(60), z.maximum(86_400))), 3600),
    CONSUMER_ATTEMPTS_MAX: count(8, 100),
    CONSUMER_BACKOFF_SECONDS: count(10, 3600),
    EVENT_RESEND_SECONDS: count(60, 86_400),
    EVENT_RETENTION_DAYS: count(30, 3650),
    EVENT_EXPORTS: z._default(z.pipe(json, z.array(eventExport()).check(z.maxLength(20))), []),
    WEBHOOK_BACKOFF_SECONDS: count(5, 3600),
    WEBHOOK_ALLOW_LOCAL: flag(false),
    WEBHOOK_DENIED_DOMAINS: z.pipe(list, z.array(domain).check(z.maxLength(100))),
    ORDER_PENDING_TTL_SECONDS: count(3600, 31_536_000),
    MAIL_FROM: address,
    PUBLIC_URL: z.pipe(
      z.url({ protocol: /^https?$/ }),
      z.transform((url) => url.replace(/\/+$/, "")),
    ),
    CORS_ORIGINS: origins,
    JWT_ISSUER: z._default(word, "https://meridian.example"),
    JWT_AUDIENCE: z._default(word, "meridian"),
    TRUSTED_ISSUERS: z
      ._default(z.pipe(json, z.array(trustedIssuer()).check(z.maxLength(20))), [])
      .check(z.refine((list) => new Set(list.map(({ issuer }) => issuer)).size === list.length)),
    /** By name; `services/auth/budgets.ts` knows the names. */
    AUTH_BUDGETS: z._default(z.pipe(json, z.record(line(100), budget())), {}),
    /** A mail address or a URL; empty: the cron judges no alerts. */
    ALERT_TO: z._default(z.union([z.literal(""), address, z.url({ protocol: /^https?$/ })]), ""),
    /** Whether GraphQL shows its schema, and GraphiQL: where the Worker is served from this machine, unless set. */
    GRAPHQL_INTROSPECTION: z.optional(z.enum(["true", "false"])),
    LOG_LEVEL: z._default(z.enum(["debug", "info", "warn", "error"]), "info"),
    SERVER_TIMING: z._default(z.enum(["admin", "all"]), "admin"),
    JWT_SIGNING_KEYS: z
      .pipe(json, z.object({ keys: z.array(signingKey()).check(z.minLength(1), z.maxLength(10)) }))
      // The kid chooses the key, so it must be able to.
      .check(z.refine(({ keys }) => new Set(keys.map(({ kid }) => kid)).size === keys.length)),
    METRICS_TOKEN: bearerToken,
    EVENTS_TOKEN: bearerToken,
    /** 256 bits, base64url: seals cursors, encrypts what is stored for replay, keys the digests. */
    DATA_KEY: z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/)),
  }),
);

export type Config = Readonly<z.Made<typeof configSchema>>;

/** Whether the GraphQL schema may be looked at: as configured, else only where the Worker is served from this machine. */
export function isIntrospectionOn({ GRAPHQL_INTROSPECTION, PUBLIC_URL }: Config): boolean {
  if (GRAPHQL_INTROSPECTION !== undefined) return GRAPHQL_INTROSPECTION === "true";
  return isThisMachine(PUBLIC_URL);
}

/** Whether a URL's host is the machine that it is used on. Source: RFC 6761, section 6.3; RFC 1122, section 3.2.1.3. */
function isThisMachine(url: string): boolean {
  return /^(?:(?:.+\.)?localhost\.?|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

/** A variable without a form in words does not compile. */
const FORMS: Readonly<Record<keyof Config, string>> = VARIABLE_FORMS;

/**
 * Reads and validates the configuration.
 * **Errors**: `unavailable`, with the names of the wrong variables in its message. In development it adds the form of each,
 * and the value that was found unless that is secret.
 */
export function readConfig(env: object, target: BuildTarget = buildTarget): Config {
  const parsed = configSchema().safeParse(env);
  if (!parsed.success) {
    const { issues } = parsed.error;
    const names = [...new Set(issues.map((issue) => String(issue.path[0])))].sort();
    const advice = target === "development" ? faultLines(issues, env, FORMS) : [];
    throw invalidConfiguration([names.join(", "), ...advice].join("\n"));
  }
  // Links in mails would lead each reader to the reader's own machine.
  if (target === "deployment" && isThisMachine(parsed.data.PUBLIC_URL))
    throw invalidConfiguration(`PUBLIC_URL${NOT_LOCAL}`);
  return parsed.data;
}

const NOT_LOCAL =
  ", which is an address of this machine: set it to the address that clients use, such as https://api.example.com. `npm run deploy` does; by hand: npx wrangler deploy --var PUBLIC_URL:https://api.example.com";

/** Returns the error for a variable that is not valid. @param what its name, and what it should be */
export function invalidConfiguration(what: string): AppError {
  return new AppError("unavailable", `configuration is not valid: ${what}`, {
    isRetryable: false,
    retryAfterSeconds: 60,
    detail: "The service is not configured. Its operator finds the reason in the log.",
  });
}

const configs = kept(() => new WeakMap<object, Config>());
const searched = kept(() => new WeakSet<object>());

/** Returns what `readConfig` does, once an isolate: bindings do not change within its life. */
export function configOf(env: object, target: BuildTarget = buildTarget): Config {
  const known = configs().get(env);
  if (known !== undefined) return known;
  if (target === "development" && !searched().has(env)) warnOfMisspelt(env);
  searched().add(env);
  const config = readConfig(env, target);
  configs().set(env, config);
  return config;
}

function warnOfMisspelt(env: object): void {
  for (const { variable, meant } of misspeltVariables(env, Object.keys(FORMS)))
    createLogger("warn").log("warn", "config.unknown_variable", { variable, hint: `did you mean ${meant}?` });
}
