/** The event log, its ledger and dead letters; webhooks. */
import * as z from "zod";
import type { CloudEvent } from "../../../src/kernel/event";
import { DEAD_LETTER_STATES, type DeadLetter, type EventLedger } from "../../../src/platform/outbox";
import type { ReplayReport } from "../../../src/services/operations/events";
import type { Webhook, WebhookDelivery, WebhookWithSecret } from "../../../src/services/webhooks";
import { count, eventType, id, model, text, time } from "./fields";

export const event = model<CloudEvent>()({
  specversion: z.literal("1.0"),
  id,
  source: text(100).meta({ format: "uri-reference" }),
  type: eventType,
  subject: text(200),
  time,
  datacontenttype: z.literal("application/json"),
  dataschema: text(2_048).meta({ format: "uri" }),
  data: z.record(z.string(), z.unknown()).describe("By the schema that `dataschema` names."),
  sequence: text(15)
    .regex(/^[0-9]+$/)
    .describe("Position in the log, the cursor of `after`."),
  traceparent: text(55).exactOptional().describe("W3C trace context of the request that caused it."),
});

export const eventLedger = model<EventLedger>()({
  event,
  committedAt: time,
  sentAt: time
    .nullable()
    .describe("When a queue first took it, as its first message tells; null until then."),
  deliveries: z
    .array(
      model<EventLedger["deliveries"][number]>()({
        consumer: text(100),
        state: z.enum(["pending", "done", "dead"]),
        attempts: count,
        lastError: text(2_000).nullable(),
        doneAt: time.nullable(),
      }),
    )
    .max(1_000),
});

export const deadLetter = model<DeadLetter>()({
  id,
  eventId: id,
  type: eventType,
  consumer: text(100),
  attempts: count,
  lastError: text(2_000).nullable(),
  state: z.enum(DEAD_LETTER_STATES),
  createdAt: time,
});

export const replayReport = model<ReplayReport>()({
  replayed: count.describe("How many dead letters this call took."),
  isComplete: z.boolean().describe("False when more match: call again."),
});

const webhookShape = {
  id,
  url: text(2_048).meta({ format: "uri" }),
  types: z.array(text(100)).min(1).max(50).describe("Event types; `*` is all."),
  isEnabled: z.boolean(),
  createdAt: time,
};
export const webhook = model<Webhook>()(webhookShape);
export const webhookWithSecret = model<WebhookWithSecret>()({
  ...webhookShape,
  secret: text(100).describe("Shown once: `whsec_` and 32 bytes in base64."),
});

export const webhookDelivery = model<WebhookDelivery>()({
  id,
  eventId: id,
  type: eventType,
  attempt: z.int().min(1).max(1_000),
  outcome: z.enum(["delivered", "failed"]),
  statusCode: z.int().min(100).max(599).nullable().describe("Null when no answer came."),
  error: text(2_000).nullable(),
  durationMs: count,
  at: time,
});

export const webhookTest = model<{ readonly eventId: string }>()({ eventId: id });
