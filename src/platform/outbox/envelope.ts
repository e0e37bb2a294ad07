/** A row of the event log as the CloudEvent that everybody outside sees. */
import type { InferSelectModel } from "drizzle-orm";
import type { outboxEvents } from "../../../drizzle/schema/outbox";
import { toTimestamp } from "../../kernel/clock";
import type { CloudEvent } from "../../kernel/event";

export type EventRow = InferSelectModel<typeof outboxEvents>;

/** @param publicUrl `PUBLIC_URL`, under which the schema of `data` is served: CloudEvents wants an absolute URI */
export function toEnvelope(row: EventRow, publicUrl: string): CloudEvent {
  return {
    specversion: "1.0",
    id: row.id,
    source: row.source,
    type: row.type,
    subject: row.subject,
    time: toTimestamp(row.committedAt),
    datacontenttype: "application/json",
    dataschema: `${publicUrl}/events/${row.type}/v${row.schemaVersion}`,
    data: JSON.parse(row.data),
    sequence: String(row.sequence),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  };
}
