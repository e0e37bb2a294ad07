/** The form of each variable in words, for the person who corrects one. `env.ts` has the schemas that decide. */

const number = (max: number, min = 1) => `a whole number from ${min} to ${max}`;
const FLAG = "true or false";
const TOKEN =
  "a random token of at least 16 characters without spaces, such as `openssl rand -hex 24` prints";

export const VARIABLE_FORMS = {
  RATE_LIMIT_MAX: number(1_000_000_000),
  RATE_LIMIT_WINDOW_SECONDS: number(86_400),
  RATE_LIMIT_LEASE_MAX: number(1_000_000_000),
  ACCESS_TOKEN_TTL_SECONDS: number(86_400),
  SESSION_TTL_SECONDS: number(31_536_000),
  USER_CACHE_TTL_SECONDS: number(86_400, 60),
  CONSUMER_ATTEMPTS_MAX: number(100),
  CONSUMER_BACKOFF_SECONDS: number(3_600),
  EVENT_RESEND_SECONDS: number(86_400),
  EVENT_RETENTION_DAYS: number(3_650),
  EVENT_EXPORTS: 'a JSON list such as [{"queue": "EXAMPLE_EXPORT", "types": ["user.created"]}]',
  WEBHOOK_BACKOFF_SECONDS: number(3_600),
  WEBHOOK_ALLOW_LOCAL: FLAG,
  WEBHOOK_DENIED_DOMAINS: "host names with commas between them, such as example.com, intranet.example.org",
  ORDER_PENDING_TTL_SECONDS: number(31_536_000),
  MAIL_FROM: "an address, or a name and an address: Meridian <hello@meridian.example>",
  PUBLIC_URL: "the http or https address of this Worker, such as https://api.example.com",
  CORS_ORIGINS: "origins with commas between them, such as https://app.example.com; or *",
  JWT_ISSUER: "a text that is not empty",
  JWT_AUDIENCE: "a text that is not empty",
  TRUSTED_ISSUERS:
    'a JSON list such as [{"issuer": "...", "jwksUrl": "https://...", "audience": "..."}], each issuer once',
  AUTH_BUDGETS: 'a JSON object such as {"loginPerIp": {"limit": 50, "windowSeconds": 900}}',
  ALERT_TO: "a mail address or an http or https URL",
  GRAPHQL_INTROSPECTION: FLAG,
  LOG_LEVEL: "debug, info, warn or error",
  SERVER_TIMING: "admin or all",
  JWT_SIGNING_KEYS: "a JWK set of private P-256 keys as JSON, each with a kid of its own",
  METRICS_TOKEN: TOKEN,
  EVENTS_TOKEN: TOKEN,
  DATA_KEY: "32 random bytes in base64url, which are 43 characters",
} as const;

/** Variables whose value is printed nowhere. A URL to post alerts to often holds a token. */
export const SECRET_VARIABLES: ReadonlySet<string> = new Set<keyof typeof VARIABLE_FORMS>([
  "JWT_SIGNING_KEYS",
  "METRICS_TOKEN",
  "EVENTS_TOKEN",
  "DATA_KEY",
  "ALERT_TO",
]);
