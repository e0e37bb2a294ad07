import { afterEach, expect, test, vi } from "vitest";
import { notifierOf } from "../../../../src/jobs/alerts/notifier";
import type { Mail } from "../../../../src/platform/mailer";
import type { Notice } from "../../../../src/platform/observability/alerts";

const NOTICE: Notice = {
  id: "OutboxLag:60000:firing",
  alert: "OutboxLag",
  status: "firing",
  summary: "A consumer is 400 s behind.",
  sinceMs: 60_000,
  atMs: 60_000,
};

afterEach(() => void vi.unstubAllGlobals());

test("a mail says what holds, since when and where to read on, and a repetition has the same key", async () => {
  const mails: Mail[] = [];
  const notify = notifierOf("ops@example.com", { send: async (mail) => void mails.push(mail) });
  await notify(NOTICE);
  await notify({ ...NOTICE, id: "OutboxLag:60000:resolved", status: "resolved" });
  expect(mails[0]).toMatchObject({
    to: "ops@example.com",
    subject: "[firing] OutboxLag",
    idempotencyKey: NOTICE.id,
  });
  expect(mails[0]?.text).toContain("400 s behind");
  expect(mails[0]?.text).toContain("1970-01-01T00:01:00");
  expect(mails[0]?.text).toContain("docs/runbook.md#outboxlag");
  expect(mails[1]?.text).toContain("It is over.");
});

test("a webhook gets JSON under an idempotency key, and one that refuses is told again", async () => {
  const requests: Request[] = [];
  let status = 204;
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    requests.push(new Request(url, init));
    return new Response(null, { status });
  });
  const notify = notifierOf("https://hooks.example/alerts", { send: async () => undefined });
  await notify(NOTICE);
  expect(requests[0]?.headers.get("idempotency-key")).toBe(NOTICE.id);
  expect(await requests[0]?.json()).toMatchObject({ alert: "OutboxLag", status: "firing" });
  status = 503;
  await expect(notify(NOTICE)).rejects.toMatchObject({ code: "unavailable" });
});
