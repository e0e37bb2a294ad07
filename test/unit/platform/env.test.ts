import { expect, test } from "vitest";
import { readConfig } from "../../../src/platform/env";
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
  ["AUTH_BUDGETS", '{"loginPerPlanet":{"limit":1,"windowSeconds":60}}'],
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
  ["JWT_SIGNING_KEYS", keys()],
  ["JWT_SIGNING_KEYS", keys({ ...key, d: "secret" })],
  ["JWT_SIGNING_KEYS", keys({ ...key }, { ...key })],
])("%s=%s is refused by name, its value withheld", (name, value) => {
  const read = () => readConfig({ ...VALID, [name]: value });
  expect(read).toThrow(expect.objectContaining({ code: "unavailable" }));
  expect(read).toThrow(`configuration is not valid: ${name}`);
  if (value !== "" && value !== "0") expect(read).not.toThrow(value);
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
