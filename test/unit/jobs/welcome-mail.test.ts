import { expect, test } from "vitest";
import { composeWelcome, welcomeMail } from "../../../src/jobs/mails/welcome-mail";
import type { CloudEvent } from "../../../src/kernel/event";
import { type Mail, Mailer } from "../../../src/platform/mailer";

const EVENT: CloudEvent = {
  specversion: "1.0",
  id: "0192d0c0-0000-7000-8000-0000000000ee",
  source: "/meridian/users",
  type: "user.created",
  subject: "0192d0c0-0000-7000-8000-000000000001",
  time: "2026-11-22T10:00:00.000Z",
  datacontenttype: "application/json",
  dataschema: "/events/user.created/v1",
  data: {},
  sequence: "1",
};

test("the welcome mail says welcome, and both bodies hold the name", () => {
  const mail = composeWelcome(
    { name: "محمد الأمين", email: "m@example.com" },
    "https://api.example.com",
    null,
  );
  expect(mail.subject).toContain("Welcome");
  expect(mail.text).toContain("محمد الأمين");
  expect(mail.html).toContain("<bdi>محمد الأمين</bdi>");
  expect(mail.text).toContain("https://api.example.com");
  expect(mail.html).toContain('href="https://api.example.com"');
});

test("a name that is HTML arrives as text", () => {
  const name = `<img src=x onerror="alert('1')"> & co`;
  const mail = composeWelcome({ name, email: "m@example.com" }, "https://api.example.com", null);
  expect(mail.text).toContain(name);
  expect(mail.html).not.toContain("<img");
  expect(mail.html).toContain("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; co");
});

test("the mail goes to the user that the event names, under the event's id", async () => {
  const sent: Record<string, unknown>[] = [];
  const binding = { send: async (mail: Mail) => void sent.push({ ...mail }) } as unknown as SendEmail;
  const asked: string[] = [];
  const consumer = welcomeMail({
    mails: {
      emailVerification: async (event) => {
        asked.push(event.subject);
        return asked.length === 1 ? { to: { name: "Ada", email: "ada@example.com" }, token: "t-1" } : null;
      },
      recipientOf: async () => null,
      passwordReset: async () => null,
      emailChange: async () => null,
      emailChangeNotice: async () => null,
    },
    mailer: new Mailer(binding, "hello@meridian.example"),
    publicUrl: "https://api.example.com",
  });
  const delivery = { consumer: "welcome-mail", attempt: 1, signal: new AbortController().signal };
  await consumer.act(EVENT, delivery);
  await consumer.act(EVENT, delivery);
  expect(asked).toEqual([EVENT.subject, EVENT.subject]);
  // The second time the user is gone, and nobody is greeted.
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ to: "ada@example.com", headers: { "X-Idempotency-Key": EVENT.id } });
  expect(sent[0]?.text).toContain("https://api.example.com/verify-email?token=t-1\n");
});
