import { expect, test } from "vitest";
import { AppError } from "../../../src/kernel/errors";
import { type Mail, Mailer } from "../../../src/platform/mailer";

const MAIL: Mail = {
  to: "ada@example.com",
  subject: "Welcome",
  text: "Hello",
  html: "<p>Hello</p>",
  idempotencyKey: "0192d0c0-0000-7000-8000-000000000001",
};

/** Stands for the mail service, which is beyond the Worker. */
function service(error?: unknown) {
  const sent: unknown[] = [];
  const binding = {
    send: async (mail: unknown) => {
      if (error !== undefined) throw error;
      sent.push(mail);
      return { messageId: "1" };
    },
  } as unknown as SendEmail;
  const counted: string[] = [];
  const count = (outcome: string) => void counted.push(outcome);
  return { sent, counted, mailer: new Mailer(binding, "Meridian <hello@meridian.example>", count) };
}

test("a mail carries its sender, both bodies and its idempotency key, and no header that the platform refuses", async () => {
  const { sent, mailer } = service();
  await mailer.send(MAIL);
  expect(sent).toEqual([
    {
      from: { name: "Meridian", email: "hello@meridian.example" },
      to: "ada@example.com",
      subject: "Welcome",
      text: "Hello",
      html: "<p>Hello</p>",
      headers: { "X-Idempotency-Key": MAIL.idempotencyKey },
    },
  ]);
});

test.each([
  ["a second header in the recipient", { to: "ada@example.com\r\nBcc: eve@example.com" }],
  ["two recipients", { to: "ada@example.com,eve@example.com" }],
  ["a recipient with a name", { to: "Ada <ada@example.com>" }],
  ["an empty recipient", { to: "" }],
  ["a second header in the subject", { subject: "Hi\r\nBcc: eve@example.com" }],
  ["a lone line feed in the subject", { subject: "Hi\nthere" }],
  ["an empty subject", { subject: " " }],
  ["a subject over 500 bytes", { subject: "é".repeat(251) }],
  ["a missing text", { text: "" }],
  ["a missing HTML", { html: " \n" }],
  ["bodies over 256 KiB", { text: "x".repeat(262_144) }],
  ["a key that is a header of its own", { idempotencyKey: "a\r\nb: c" }],
])("%s is refused for good, before anything is sent, without naming the address", async (_, change) => {
  const { sent, mailer } = service();
  const failure = await mailer.send({ ...MAIL, ...change }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AppError);
  expect(failure).toMatchObject({ code: "internal", isRetryable: false });
  expect(String(failure)).not.toContain("example.com");
  expect(sent).toEqual([]);
});

test.each([
  ["E_RATE_LIMIT_EXCEEDED", true],
  ["E_DAILY_LIMIT_EXCEEDED", true],
  ["E_DELIVERY_FAILED", true],
  ["E_INTERNAL_SERVER_ERROR", true],
  ["E_SENDER_NOT_VERIFIED", false],
  ["E_RECIPIENT_SUPPRESSED", false],
  [undefined, true],
])("after %s a repetition is worth trying: %s", async (code, isRetryable) => {
  const { mailer } = service(Object.assign(new Error("ada@example.com"), { code }));
  const failure = await mailer.send(MAIL).catch((error: unknown) => error);
  expect(failure).toMatchObject({ isRetryable, code: isRetryable ? "unavailable" : "internal" });
});

test("each mail is counted once: as sent, or as failed whatever refused it", async () => {
  const good = service();
  await good.mailer.send(MAIL);
  await good.mailer.send({ ...MAIL, text: "" }).catch(() => undefined);
  expect(good.counted).toEqual(["sent", "failed"]);
  const bad = service(new Error("no connection"));
  await bad.mailer.send(MAIL).catch(() => undefined);
  expect(bad.counted).toEqual(["failed"]);
});
