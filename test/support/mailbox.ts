/**
 * The mails that the event log calls for: runs the mail consumers over each event so far, as the queue does, and
 * keeps what they send. Repeating an event is harmless, so it does not matter whether the real queue was faster.
 */
import { env } from "cloudflare:workers";
import { wireConsumers } from "../../src/jobs/index";
import { type ConsumerName, consumersOf, isConsumerName } from "../../src/jobs/registry";
import type { CloudEvent } from "../../src/kernel/event";
import { configOf } from "../../src/platform/env";
import { testScope } from "./scope";

export interface SentMail {
  readonly event: string;
  readonly consumer: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly data: string;
  readonly committed_at: number;
  readonly sequence: number;
}

export async function mailsSent(): Promise<SentMail[]> {
  const { results } = await env.DB.prepare("select * from outbox_events order by sequence").all<EventRow>();
  const sent: SentMail[] = [];
  for (const row of results) {
    for (const name of consumersOf(row.type)) {
      if (isConsumerName(name) && isMail(name)) sent.push(...(await runConsumer(name, row)));
    }
  }
  return sent;
}

/** The token of the link in the last mail to an address. */
export async function lastTokenTo(address: string): Promise<string> {
  const mails = (await mailsSent()).filter((mail) => mail.to === address && mail.text.includes("?token="));
  const token = /\?token=([\w-]+)/.exec(mails.at(-1)?.text ?? "")?.[1];
  if (token === undefined) throw new Error(`no token was mailed to ${address}`);
  return token;
}

function isMail(name: ConsumerName): boolean {
  return name.endsWith("-mail") || name === "security-notice";
}

async function runConsumer(name: ConsumerName, row: EventRow): Promise<SentMail[]> {
  const sent: SentMail[] = [];
  const EMAIL = {
    send: async (mail: SentMail) => void sent.push({ ...mail, event: row.type, consumer: name }),
  } as unknown as SendEmail;
  const config = configOf(env);
  const scope = testScope(Date.now);
  const consumer = (await wireConsumers({ ...env, EMAIL }, config, scope))[name];
  if (consumer.kind !== "external") throw new Error(`${name} sends no mail`);
  await consumer.act(toEvent(row), { consumer: name, attempt: 1, signal: new AbortController().signal });
  return sent;
}

function toEvent(row: EventRow): CloudEvent {
  return {
    specversion: "1.0",
    id: row.id,
    source: row.source,
    type: row.type,
    subject: row.subject,
    time: new Date(row.committed_at).toISOString(),
    datacontenttype: "application/json",
    dataschema: "",
    data: JSON.parse(row.data),
    sequence: String(row.sequence),
  };
}
