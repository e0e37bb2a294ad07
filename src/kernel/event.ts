/** The event envelope: CloudEvents 1.0, JSON format. */

export interface CloudEvent<Data = unknown> {
  readonly specversion: "1.0";
  /** UUIDv7. The idempotency key of whatever a consumer does with the event. */
  readonly id: string;
  /** The service that speaks: `/meridian/users`. */
  readonly source: string;
  /** `<service's noun>.<past tense>`: `user.created`. */
  readonly type: string;
  /** The id of what changed. */
  readonly subject: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  /** Where the schema of `data` is served: an absolute URI that names type and version. */
  readonly dataschema: string;
  readonly data: Data;
  /** Position in the log, the cursor of `GET /api/events?after=`. Decimal digits, ascending in order of commit. */
  readonly sequence: string;
  /** W3C trace context of the request that caused it. Source: CloudEvents distributed tracing extension. */
  readonly traceparent?: string;
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
