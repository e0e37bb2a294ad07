/** The event envelope: CloudEvents 1.0, JSON format. */

import { onFirstCall } from "./on-first-call";
import { eventType, id, text, time, uri } from "./output-fields";
import * as z from "./schema";

/**
 * - `id` is a UUIDv7, the idempotency key of whatever a consumer does with the event.
 * - `source` is the service that records it: `/meridian/users`.
 * - `type` is `<service's noun>.<past tense>`: `user.created`.
 * - `subject` is the id of what changed.
 * - `dataschema` is an absolute URI that names type and version.
 *
 * Source: CloudEvents 1.0 and its distributed tracing extension.
 */
export const cloudEventSchema = onFirstCall(() =>
  z.strictObject({
    specversion: z.literal("1.0"),
    id: id(),
    source: text(100).check(z.meta({ format: "uri-reference" })),
    type: eventType(),
    subject: text(200),
    time: time(),
    datacontenttype: z.literal("application/json"),
    dataschema: uri(2_048),
    data: z.record(z.string(), z.unknown()).check(z.describe("By the schema that `dataschema` names.")),
    sequence: text(15).check(
      z.regex(/^[0-9]+$/),
      z.describe("Position in the log, the cursor of `after`. Ascending in order of commit."),
    ),
    traceparent: z
      .exactOptional(text(55))
      .check(z.describe("W3C trace context of the request that caused it.")),
  }),
);

type Envelope = z.Model<typeof cloudEventSchema>;

export interface CloudEvent<Data = Envelope["data"]> extends Omit<Envelope, "data"> {
  readonly data: Data;
}

/** What a service hands to the outbox: the envelope less what the outbox knows. */
export interface NewEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly source: string;
  readonly subject: string;
  /** Version of `data`'s schema, from 1. */
  readonly version: number;
  readonly data: Data;
}
