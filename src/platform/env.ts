/**
 * Configuration: every variable and secret, validated once an isolate. A wrong one answers 503 to every request and
 * is named in the log, value withheld.
 */
import * as z from "zod";
import { AppError } from "../kernel/errors";

const count = (fallback: number, max = 1_000_000_000) =>
  z.coerce.number().int().min(1).max(max).default(fallback);

const flag = (fallback: boolean) =>
  z
    .enum(["true", "false"])
    .default(fallback ? "true" : "false")
    .transform((value) => value === "true");

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});

const list = z
  .string()
  .default("")
  .transform((value) =>
    value
      .split(",")
      .map((member) => member.trim())
      .filter((member) => member !== ""),
  );

/** Origins as browsers send them, so that they can be compared: no path, no trailing slash, no pattern. */
const origins = list.pipe(z.array(z.string().refine((text) => text === "*" || isOrigin(text))));

const address = z.string().regex(/^(?:[^<>"\r\n]{1,100} <[^<>\s@]+@[^<>\s@]+>|[^<>\s@]+@[^<>\s@]+)$/);

/** 256 bits, base64url. */
const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

const signingKey = z.looseObject({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  kid: z.string().min(1).max(100),
  x: coordinate,
  y: coordinate,
  d: coordinate,
});
/** A private P-256 JWK with its `kid`. */
export type SigningKey = z.infer<typeof signingKey>;

const budget = z.strictObject({
  limit: z.number().int().min(1).max(1_000_000),
  windowSeconds: z.number().int().min(1).max(86_400),
});
/** A number of attempts in a sliding window. */
export type Budget = z.infer<typeof budget>;

/** Failures and attempts that each auth endpoint allows, by account and by address. */
export const AUTH_BUDGET_DEFAULTS = {
  loginPerAccount: { limit: 10, windowSeconds: 900 },
  loginPerIp: { limit: 50, windowSeconds: 900 },
  signUpPerIp: { limit: 50, windowSeconds: 900 },
  forgotPerAccount: { limit: 5, windowSeconds: 900 },
  forgotPerIp: { limit: 30, windowSeconds: 900 },
  resetPerIp: { limit: 30, windowSeconds: 900 },
  verifyPerIp: { limit: 30, windowSeconds: 900 },
  refreshPerIp: { limit: 300, windowSeconds: 900 },
} as const satisfies Record<string, Budget>;
export type AuthBudgetName = keyof typeof AUTH_BUDGET_DEFAULTS;

const eventExport = z.strictObject({
  /** Name of a queue binding of this Worker. */
  queue: z.string().regex(/^[A-Z][A-Z0-9_]{0,62}$/),
  /** Event types, or `*` for all. */
  types: z.array(z.string().min(1).max(100)).min(1).max(100),
});
/** Another team's queue and the events that it wants. */
export type EventExport = z.infer<typeof eventExport>;

/** Plain http only to this machine, for development. */
const keysAddress = z
  .url({ protocol: /^https?$/ })
  .refine((url) => url.startsWith("https:") || /^http:\/\/(?:localhost|127\.0\.0\.1)[:/]/.test(url));

const trustedIssuer = z.strictObject({
  /** Equal to the tokens' `iss`, character for character. */
  issuer: z.string().min(1).max(500),
  /** Where its JWK set is. */
  jwksUrl: keysAddress,
  /** Must be among the tokens' `aud`. */
  audience: z.string().min(1).max(500),
  /** Symmetric ones are not to be had: their key would have to be shared. */
  algorithms: z
    .array(z.enum(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]))
    .min(1)
    .default(["RS256", "ES256"]),
  /** Whether a subject that nobody knows becomes a user at first sight. */
  createUsers: z.boolean().default(false),
  /** Names of the claims. */
  claims: z
    .strictObject({
      email: z.string().min(1).default("email"),
      emailVerified: z.string().min(1).default("email_verified"),
      name: z.string().min(1).default("name"),
      role: z.string().min(1).optional(),
    })
    .prefault({}),
  /** Value of the role claim to role. Without it the claim is not looked at. */
  roles: z.record(z.string(), z.enum(["user", "admin"])).optional(),
});
/** Somebody else whose tokens are accepted. */
export type TrustedIssuer = z.infer<typeof trustedIssuer>;

function isOrigin(text: string): boolean {
  if (!/^https?:\/\/[^*]+$/.test(text) || !URL.canParse(text)) return false;
  return new URL(text).origin === text;
}

const configSchema = z.object({
  RATE_LIMIT_MAX: count(100),
  RATE_LIMIT_WINDOW_SECONDS: count(900, 86_400),
  RATE_LIMIT_LEASE_MAX: count(100).optional(),
  ACCESS_TOKEN_TTL_SECONDS: count(900, 86_400),
  SESSION_TTL_SECONDS: count(604_800, 31_536_000),
  USER_CACHE_TTL_SECONDS: z.coerce.number().int().min(60).max(86_400).default(3600),
  CONSUMER_ATTEMPTS_MAX: count(8, 100),
  CONSUMER_BACKOFF_SECONDS: count(10, 3600),
  EVENT_RESEND_SECONDS: count(60, 86_400),
  EVENT_RETENTION_DAYS: count(30, 3650),
  EVENT_EXPORTS: json.pipe(z.array(eventExport).max(20)).default([]),
  WEBHOOK_BACKOFF_SECONDS: count(5, 3600),
  WEBHOOK_ALLOW_LOCAL: flag(false),
  ORDER_PENDING_TTL_SECONDS: count(3600, 31_536_000),
  MAIL_FROM: address,
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, "")),
  CORS_ORIGINS: origins,
  JWT_ISSUER: z.string().min(1).default("https://meridian.example"),
  JWT_AUDIENCE: z.string().min(1).default("meridian"),
  TRUSTED_ISSUERS: json
    .pipe(z.array(trustedIssuer).max(20))
    .default([])
    .refine((list) => new Set(list.map(({ issuer }) => issuer)).size === list.length),
  AUTH_BUDGETS: json
    .pipe(z.partialRecord(z.enum(Object.keys(AUTH_BUDGET_DEFAULTS) as [AuthBudgetName]), budget))
    .default({})
    .transform((overrides): Record<AuthBudgetName, Budget> => ({ ...AUTH_BUDGET_DEFAULTS, ...overrides })),
  /** A mail address or a URL; empty: the cron judges no alerts. */
  ALERT_TO: z.union([z.literal(""), address, z.url({ protocol: /^https?$/ })]).default(""),
  /** Whether GraphQL shows its schema, and GraphiQL: where the Worker is served from this machine, unless set. */
  GRAPHQL_INTROSPECTION: z.enum(["true", "false"]).optional(),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  SERVER_TIMING: z.enum(["admin", "all"]).default("admin"),
  JWT_SIGNING_KEYS: json
    .pipe(z.object({ keys: z.array(signingKey).min(1).max(10) }))
    // The kid chooses the key, so it must be able to.
    .refine(({ keys }) => new Set(keys.map(({ kid }) => kid)).size === keys.length),
  METRICS_TOKEN: z.string().min(16),
  EVENTS_TOKEN: z.string().min(16),
  /** 256 bits, base64url: seals cursors, encrypts what is stored for replay, keys the digests. */
  DATA_KEY: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});

export type Config = Readonly<z.infer<typeof configSchema>>;

/** Whether the GraphQL schema may be looked at: as configured, else in development alone. */
export function isIntrospectionOn({ GRAPHQL_INTROSPECTION, PUBLIC_URL }: Config): boolean {
  if (GRAPHQL_INTROSPECTION !== undefined) return GRAPHQL_INTROSPECTION === "true";
  return ["localhost", "127.0.0.1", "[::1]"].includes(new URL(PUBLIC_URL).hostname);
}

/**
 * Reads and validates the configuration.
 * **Errors**: `unavailable`, with the names of the wrong variables (never their values) in its message.
 */
export function readConfig(env: object): Config {
  const parsed = configSchema.safeParse(env);
  if (parsed.success) return parsed.data;
  const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))].sort();
  throw new AppError("unavailable", `configuration is not valid: ${names.join(", ")}`, {
    isRetryable: false,
    retryAfterSeconds: 60,
  });
}

let remembered: { readonly env: object; readonly config: Config } | undefined;

/** As `readConfig`, once an isolate: bindings do not change within its life. */
export function configOf(env: object): Config {
  if (remembered?.env !== env) remembered = { env, config: readConfig(env) };
  return remembered.config;
}
