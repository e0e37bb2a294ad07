/** A row of the event log as the CloudEvent that everybody outside sees. */
import type { InferSelectModel } from "drizzle-orm";
import type { outboxEvents } from "../../../drizzle/schema/outbox";
import { toTimestamp } from "../../kernel/clock";
import type { CloudEvent } from "../../kernel/event";

export type EventRow = InferSelectModel<typeof outboxEvents>;

/** Names type and version of `data`; relative to the server that spoke. */
export function dataSchemaOf(type: string, version: number): string {
  return `/events/${type}/v${version}`;
}

export function toEnvelope(row: EventRow): CloudEvent {
  return {
    specversion: "1.0",
    id: row.id,
    source: row.source,
    type: row.type,
    subject: row.subject,
    time: toTimestamp(row.committedAt),
    datacontenttype: "application/json",
    dataschema: dataSchemaOf(row.type, row.schemaVersion),
    data: JSON.parse(row.data),
    sequence: String(row.sequence),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  };
}
