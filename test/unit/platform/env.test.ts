import { describe, expect, test, vi } from "vitest";
import type { BuildTarget } from "../../../src/platform/build-target";
import { misspeltVariables } from "../../../src/platform/config-advice";
import { configOf, readConfig } from "../../../src/platform/env";
import { TEST_SECRETS } from "../../support/secrets";

const VALID = {
  ...TEST_SECRETS,
  MAIL_FROM: "Meridian <hello@meridian.example>",
  PUBLIC_URL: "http://localhost:8787",
};

const [key] = (JSON.parse(TEST_SECRETS.JWT_SIGNING_KEYS) as { keys: Record<string, string>[] }).keys;
const keys = (...members: object[]) => JSON.stringify({ keys: members });

test("the defaults are those of the contract", () => {
  expect(readConfig(VALID)).toMatchObject({
    RATE_LIMIT_MAX: 100,
    RATE_LIMIT_WINDOW_SECONDS: 900,
    ACCESS_TOKEN_TTL_SECONDS: 900,
    SESSION_TTL_SECONDS: 604_800,
    USER_CACHE_TTL_SECONDS: 3_600,
    CONSUMER_ATTEMPTS_MAX: 8,
    CONSUMER_BACKOFF_SECONDS: 10,
    EVENT_RESEND_SECONDS: 60,
    WEBHOOK_BACKOFF_SECONDS: 5,
    ORDER_PENDING_TTL_SECONDS: 3_600,
    WEBHOOK_DENIED_DOMAINS: [],
    CORS_ORIGINS: [],
    TRUSTED_ISSUERS: [],
  });
});

test.each([
  ["RATE_LIMIT_MAX", "many"],
  ["RATE_LIMIT_MAX", "0"],
  ["RATE_LIMIT_WINDOW_SECONDS", "0"],
  ["AUTH_BUDGETS", "{"],
  ["AUTH_BUDGETS", '{"loginPerIp":{"limit":0,"windowSeconds":60}}'],
  ["CORS_ORIGINS", "app.example"],
  ["CORS_ORIGINS", "https://app.example/"],
  ["CORS_ORIGINS", "https://a.example https://b.example"],
  ["CORS_ORIGINS", "https://*.example"],
  ["WEBHOOK_DENIED_DOMAINS", "https://denied.example"],
  ["WEBHOOK_DENIED_DOMAINS", "denied.example/path"],
  ["WEBHOOK_DENIED_DOMAINS", "denied.example:443"],
  ["WEBHOOK_DENIED_DOMAINS", "*.denied.example"],
  ["WEBHOOK_DENIED_DOMAINS", "a.example b.example"],
  ["WEBHOOK_DENIED_DOMAINS", "203.0.113.1"],
  ["WEBHOOK_DENIED_DOMAINS", Array.from({ length: 101 }, (_, index) => `d${index}.example`).join()],
  ["LOG_LEVEL", "loud"],
  ["PUBLIC_URL", "localhost"],
  ["MAIL_FROM", "a@b.example\r\nBcc: c@d.example"],
  ["TRUSTED_ISSUERS", "[{}]"],
  ["DATA_KEY", "short"],
  ["METRICS_TOKEN", ""],
  ["METRICS_TOKEN", "fifteen-letters"],
  ["METRICS_TOKEN", "sixteen-lett\u00e9rs-x"],
  ["EVENTS_TOKEN", "a token with spaces can never be presented"],
  ["EVENTS_TOKEN", "at-least-24-random-bytes-in-base64url"],
  ["JWT_SIGNING_KEYS", keys()],
  ["JWT_SIGNING_KEYS", keys({ ...key, d: "secret" })],
  ["JWT_SIGNING_KEYS", keys({ ...key }, { ...key })],
])("%s=%s is refused by name, its value withheld", (name, value) => {
  for (const target of ["deployment", "test"] as const) {
    const read = () =>
      readConfig({ ...VALID, PUBLIC_URL: "https://meridian.example", [name]: value }, target);
    expect(read).toThrow(expect.objectContaining({ code: "unavailable" }));
    expect(messageOf(read)).toBe(`configuration is not valid: ${name}`);
  }
});

function messageOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

describe("in development a wrong variable", () => {
  const messageWith = (vars: object) => messageOf(() => readConfig({ ...VALID, ...vars }, "development"));

  test.each([
    ["RATE_LIMIT_MAX", "plenty", 'a whole number from 1 to 1000000000; got "plenty"'],
    ["LOG_LEVEL", "loud", 'debug, info, warn or error; got "loud"'],
    ["CORS_ORIGINS", "app.example", 'origins with commas between them, .*; got "app.example"'],
    [
      "AUTH_BUDGETS",
      '{"loginPerIp":{"limit":0,"windowSeconds":9}}',
      "a JSON .*; at loginPerIp.limit: Too small.*; got ",
    ],
    ["MAIL_FROM", undefined, "an address, .*; it is not set"],
    ["PUBLIC_URL", `https:/${"x".repeat(200)} y`, 'the http or https .*; got "https:/x{93}" and more'],
  ])("%s=%s is named with its form and with what was found", (name, value, line) => {
    const [first, second] = messageWith({ [name]: value }).split("\n");
    expect(first).toBe(`configuration is not valid: ${name}`);
    expect(second).toMatch(new RegExp(`^  ${name}: expected ${line}`));
  });

  test("that is secret is named with its form alone", () => {
    const secrets = {
      DATA_KEY: "planted-1",
      METRICS_TOKEN: "planted-2",
      EVENTS_TOKEN: "planted-3 with spaces",
      JWT_SIGNING_KEYS: keys({ ...key, d: "planted-4", kid: "planted-5" }),
      ALERT_TO: "planted-6",
    };
    const message = messageWith(secrets);
    expect(message).toContain("DATA_KEY: expected 32 random bytes in base64url");
    for (const name of Object.keys(secrets))
      expect(message).toMatch(new RegExp(`  ${name}: expected .* shown`));
    expect(message).not.toContain("planted");
    expect(messageWith({ DATA_KEY: undefined })).toContain("; it is not set");
  });
});

describe("a variable whose name is not known", () => {
  const KNOWN = ["RATE_LIMIT_MAX", "CORS_ORIGINS", "LOG_LEVEL", "PUBLIC_URL", "DATA_KEY", "MAIL_FROM"];
  const meant = (env: object) => misspeltVariables(env, KNOWN).map((each) => each.meant);

  test.each([
    ["RATE_LIMT_MAX", "RATE_LIMIT_MAX"],
    ["RATE_LIMIT_MXA", "RATE_LIMIT_MAX"],
    ["rateLimitMax", "RATE_LIMIT_MAX"],
    ["CORS_ORIGIN", "CORS_ORIGINS"],
    ["LOGLEVEL", "LOG_LEVEL"],
    ["PUBLIC_URI", "PUBLIC_URL"],
    ["DATAKEYS", "DATA_KEY"],
  ])("and is close to a known one is misspelt: %s", (variable, name) => {
    expect(misspeltVariables({ ...VALID, [variable]: "x" }, KNOWN)).toEqual([{ variable, meant: name }]);
  });

  test("and is close to none, or is a binding, is the adopter's own", () => {
    const own = { STRIPE_KEY: "x", API_KEY: "x", MAIL_TO: "x", DATA_DIR: "x", FEATURE_LIMIT: 5, A: "x" };
    expect(meant({ ...own, TEST_MIGRATIONS: [], PUBLIC_URLS: {}, LOG_LEVELS: null })).toEqual([]);
  });

  test("is warned about once an isolate, in development alone, even if the configuration is not valid", () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const read = (env: object, target: BuildTarget) => {
      try {
        configOf(env, target);
      } catch {
        // Also what is not valid is warned about.
      }
    };
    const wrong = { ...VALID, CORS_ORIGIN: "*", MAIL_FROM: undefined };
    for (const target of ["deployment", "test", "development", "development"] as const)
      read({ ...wrong }, target);
    const env = { ...VALID, LOG_LEVLE: "debug" };
    for (let times = 0; times < 3; times += 1) read(env, "development");
    const lines = warn.mock.calls.flat();
    warn.mockRestore();
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('"variable":"CORS_ORIGIN","hint":"did you mean CORS_ORIGINS?"');
    expect(lines[2]).toContain("did you mean LOG_LEVEL?");
  });
});

describe("a PUBLIC_URL on this machine", () => {
  const LOCAL = [
    "localhost:8787",
    "app.localhost",
    "127.0.0.1:8787",
    "127.8.9.10",
    "[::1]:8787",
    "LOCALHOST.",
  ];

  test.each(LOCAL)("is refused when deployed, and the log says what to set: %s", (host) => {
    const read = () => readConfig({ ...VALID, PUBLIC_URL: `http://${host}` }, "deployment");
    expect(read).toThrow(expect.objectContaining({ code: "unavailable", retryAfterSeconds: 60 }));
    expect(read).toThrow(/not valid: PUBLIC_URL, .* set it to the address that clients use/);
  });

  test.each(LOCAL)("is what a development server and the tests have: %s", (host) => {
    for (const target of ["development", "test"] as const)
      expect(readConfig({ ...VALID, PUBLIC_URL: `http://${host}` }, target).PUBLIC_URL).toContain("://");
  });

  test.each(["https://meridian.example", "https://localhost.example.com", "https://127.example.com"])(
    "is none of these, which may be deployed: %s",
    (url) => {
      expect(readConfig({ ...VALID, PUBLIC_URL: url }, "deployment").PUBLIC_URL).toBe(url);
    },
  );
});

test("origins are a list, or all", () => {
  const origins = (text: string) => readConfig({ ...VALID, CORS_ORIGINS: text }).CORS_ORIGINS;
  expect(origins("https://app.example, http://localhost:3000")).toEqual([
    "https://app.example",
    "http://localhost:3000",
  ]);
  expect(origins("*")).toEqual(["*"]);
});

test("denied domains are host names in one form, however they are written", () => {
  const WEBHOOK_DENIED_DOMAINS = " Example.COM. ,bücher.example,, internal ";
  expect(readConfig({ ...VALID, WEBHOOK_DENIED_DOMAINS }).WEBHOOK_DENIED_DOMAINS).toEqual([
    "example.com",
    "xn--bcher-kva.example",
    "internal",
  ]);
});

test("a window may be as short as a second", () => {
  const config = readConfig({
    ...VALID,
    RATE_LIMIT_WINDOW_SECONDS: "1",
    AUTH_BUDGETS: '{"loginPerIp":{"limit":3,"windowSeconds":5}}',
  });
  expect([config.RATE_LIMIT_WINDOW_SECONDS, config.AUTH_BUDGETS.loginPerIp]).toEqual([
    1,
    { limit: 3, windowSeconds: 5 },
  ]);
});
