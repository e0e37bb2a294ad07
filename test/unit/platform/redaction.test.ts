import { expect, test } from "vitest";
import { redacting, redactText } from "../../../src/platform/observability/redaction";

function written(fields: Record<string, unknown>): string {
  return JSON.stringify(fields, redacting);
}

test.each([
  "ada@example.com",
  "mailto:Ada.Lovelace+x@mail.example.co.uk",
  "Bearer abc.def-ghi",
  "Basic YWRhOnNlY3JldA==",
  "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  "203.0.113.7",
  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
])("a text that holds %s is written without it", (secret) => {
  const line = written({ detail: `before ${secret} after`, nested: { list: [secret] } });
  expect(line).not.toContain(secret);
  expect(line).toContain("before");
  expect(line).toContain("after");
});

test.each([
  "password",
  "newPassword",
  "passwordHash",
  "refreshToken",
  "EMAIL",
  "to",
  "client_address",
  "html",
  "text",
])("a field named %s is written without its value, whatever it is", (name) => {
  expect(written({ [name]: "hunter2", nested: { [name]: ["hunter2"] } })).not.toContain("hunter2");
});

test.each([
  ["requestId", "a".repeat(64)],
  ["traceId", "0af7651916cd43dd8448eb211c80319c"],
  ["eventId", "01890000-0000-7000-8000-000000000001"],
  ["route", "/api/users/:id"],
  ["consumer", "webhook:01890000-0000-7000-8000-000000000001"],
  ["error", "AppError: D1 did not answer in time <- Error (SQLITE_BUSY)"],
  ["admittedBy", "object"],
])("%s is written as it is, for it is what an operator looks for", (name, value) => {
  expect(written({ [name]: value })).toBe(JSON.stringify({ [name]: value }));
});

test("numbers, flags and null are left alone", () => {
  const fields = { d1RoundTrips: 2, isComplete: true, code: null };
  expect(written(fields)).toBe(JSON.stringify(fields));
});

// What is searched is bounded, so that no text is worth an attack: a secret past the bound is cut, not looked for.
test.each([
  ["addresses that never end", "a@".repeat(50_000)],
  ["one long word", "x".repeat(100_000)],
  ["a name that may become an address", `${"a.".repeat(50_000)}@`],
  ["tokens that never end", "eyJ.".repeat(25_000)],
  ["octets that never end", "1.".repeat(50_000)],
])("of a hostile text only the first 4,000 characters are looked at: %s", (_, text) => {
  const start = text.slice(0, 4_000);
  expect(redactText(text)).toBe(redactText(start));
  expect(redactText(`${start}${"-".repeat(1_000_000)} ada@example.com`)).not.toContain("example");
});
