/** `ALERT_TO`: a mail address, or a URL that takes JSON by POST. */
import { toTimestamp } from "../../kernel/clock";
import { AppError } from "../../kernel/errors";
import type { Mailer } from "../../platform/mailer";
import type { Notice } from "../../platform/observability/alerts";
import { composeLetter } from "../mails/letter";

const DEADLINE_MS = 10_000;
const RUNBOOK = "docs/runbook.md";

export type Notify = (notice: Notice) => Promise<void>;

/** **Errors**: `unavailable` when it was not taken; `internal` when it never will be. */
export function notifierOf(to: string, mailer: Pick<Mailer, "send">): Notify {
  return /^https?:/.test(to) ? (notice) => post(to, notice) : (notice) => mail(to, mailer, notice);
}

async function post(url: string, notice: Notice): Promise<void> {
  const { id, alert, status, summary, sinceMs } = notice;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": id },
    body: JSON.stringify({
      id,
      alert,
      status,
      summary,
      startsAt: toTimestamp(sinceMs),
      runbook: runbookOf(alert),
    }),
    redirect: "manual",
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new AppError("unavailable", `the alert's receiver answered ${response.status}`);
}

async function mail(to: string, mailer: Pick<Mailer, "send">, notice: Notice): Promise<void> {
  const { id, alert, status, summary, sinceMs } = notice;
  const since = `Since ${toTimestamp(sinceMs)}. What to do: ${runbookOf(alert)}`;
  const letter = composeLetter({
    to: { name: "operator", email: to },
    subject: `[${status}] ${alert}`,
    paragraphs: [status === "resolved" ? `It is over. It was: ${summary}` : summary, since],
  });
  await mailer.send({ ...letter, idempotencyKey: id });
}

function runbookOf(alert: string): string {
  return `${RUNBOOK}#${alert.toLowerCase()}`;
}
