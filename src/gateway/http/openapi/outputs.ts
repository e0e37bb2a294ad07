/**
 * What the API answers, as schemas. Each shape is checked against its model by the compiler: a field that one of them
 * lacks, or has of another type, does not build.
 */
import * as z from "zod";
import { ROLES } from "../../../kernel/actor";
import { ERROR_CODES, type Violation } from "../../../kernel/errors";
import type { CloudEvent } from "../../../kernel/event";
import { CURRENCIES } from "../../../kernel/money";
import type { AuditEntry } from "../../../platform/audit";
import type { HealthReport } from "../../../platform/health";
import { DEAD_LETTER_STATES, type DeadLetter, type EventLedger } from "../../../platform/outbox";
import type { SignupDay } from "../../../services/analytics";
import type { LogIn, PublicKey, Session, TokenPair } from "../../../services/auth";
import type { ReplayReport } from "../../../services/events";
import type { ClientLimit, PlanLimit } from "../../../services/limits";
import {
  ORDER_STATUSES,
  type Order,
  type OrderHistoryEntry,
  type OrderItem,
  type Product,
} from "../../../services/orders";
import type { Profile, User } from "../../../services/users";
import type { Webhook, WebhookDelivery, WebhookWithSecret } from "../../../services/webhooks";

type ShapeOf<T> = { readonly [K in keyof Required<T>]: z.ZodType<T[K]> };

/** An object with exactly the members of `T`. */
function model<T extends object>() {
  return <S extends ShapeOf<T>>(shape: S & Record<Exclude<keyof S, keyof T>, never>): z.ZodObject<S> =>
    z.strictObject(shape as S);
}

const id = z.uuid().max(36);
const time = z.iso.datetime().max(35);
const text = (max: number) => z.string().max(max);
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const version = z
  .int()
  .min(1)
  .max(2_147_483_647)
  .describe("From 1, one more with each change; the entity tag.");
const currency = z.enum(CURRENCIES).describe("ISO 4217.");
const token = text(4_096);
const clientKey = text(100).describe("`user:<id>`, `ip:<address>` or `unknown`.");
const eventType = text(100).regex(/^[a-z_]+(?:\.[a-z_]+)+$/);

const profile = model<Profile>()({
  bio: text(2_000).nullable(),
  avatarUrl: text(2_048).meta({ format: "uri" }).nullable(),
  locale: text(35).nullable().describe("BCP 47."),
  timezone: text(64).nullable().describe("IANA."),
});

const user = model<User>()({
  id,
  name: text(100),
  email: text(254).meta({ format: "email" }),
  pendingEmail: text(254)
    .meta({ format: "email" })
    .nullable()
    .describe("The owner's new address until it is confirmed."),
  age: z.int().min(1).max(150).nullable(),
  role: z.enum(ROLES),
  emailVerified: z.boolean(),
  profile,
  version,
  createdAt: time,
  updatedAt: time,
});

const tokenPair = model<TokenPair>()({
  accessToken: token.describe("A JWT for `Authorization: Bearer`."),
  tokenType: z.literal("Bearer"),
  expiresIn: z.int().min(1).max(86_400).describe("Seconds that the access token lives."),
  refreshToken: token,
});

const session = model<Session>()({
  id,
  isCurrent: z.boolean().describe("Whether the call that asks belongs to it."),
  device: text(500),
  location: text(200).nullable(),
  createdAt: time,
  lastSeenAt: time,
  expiresAt: time,
});

const product = model<Product>()({
  id,
  sku: text(64),
  name: text(200),
  priceMinor: count.describe("Minor units of `currency`."),
  currency,
  stock: count.describe("Pieces that can be ordered now."),
  version,
  createdAt: time,
  updatedAt: time,
});

const orderItem = model<OrderItem>()({
  productId: id,
  sku: text(64),
  name: text(200),
  unitPriceMinor: count,
  quantity: z.int().min(1).max(1_000),
  lineTotalMinor: count,
});

const order = model<Order>()({
  id,
  userId: id.nullable().describe("Null once the user is deleted."),
  status: z.enum(ORDER_STATUSES),
  currency,
  totalMinor: count.describe("Minor units of `currency`."),
  items: z.array(orderItem).min(1).max(50),
  version,
  createdAt: time,
  updatedAt: time,
});

const orderHistoryEntry = model<OrderHistoryEntry>()({
  status: z.enum(ORDER_STATUSES),
  at: time,
  actor: text(100).describe("`user:<id>`, `user:deleted` or `system:<name>`."),
});

const event = model<CloudEvent>()({
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

const eventLedger = model<EventLedger>()({
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

const deadLetter = model<DeadLetter>()({
  id,
  eventId: id,
  type: eventType,
  consumer: text(100),
  attempts: count,
  lastError: text(2_000).nullable(),
  state: z.enum(DEAD_LETTER_STATES),
  createdAt: time,
});

const replayReport = model<ReplayReport>()({
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
const webhook = model<Webhook>()(webhookShape);
const webhookWithSecret = model<WebhookWithSecret>()({
  ...webhookShape,
  secret: text(100).describe("Shown once: `whsec_` and 32 bytes in base64."),
});

const webhookDelivery = model<WebhookDelivery>()({
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

const webhookTest = model<{ readonly eventId: string }>()({ eventId: id });

const limitShape = {
  limit: z.int().min(1).max(1_000_000),
  windowSeconds: z.int().min(15).max(86_400),
  isShadow: z.boolean().describe("Counts and reports, but refuses nobody."),
};
const clientLimit = model<ClientLimit>()({
  ...limitShape,
  client: clientKey,
  source: z.enum(["default", "plan", "override"]),
  plan: text(40).nullable(),
  current: model<ClientLimit["current"]>()({
    spent: count,
    remaining: count,
    resetSeconds: count,
    openLeases: count,
  }),
});
const planLimit = model<PlanLimit>()({
  ...limitShape,
  plan: text(40),
  clients: z.array(clientKey).max(1_000),
});

const auditEntry = model<AuditEntry>()({
  id: text(15).regex(/^[0-9]+$/),
  at: time,
  actor: text(200),
  action: text(100),
  subject: text(200),
  details: z.record(z.string(), z.unknown()),
  requestId: text(128),
});

const jsonWebKey = model<PublicKey>()({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  kid: text(100),
  x: text(43),
  y: text(43),
  alg: z.literal("ES256"),
  use: z.literal("sig"),
});

const health = model<HealthReport>()({
  status: z.enum(["ok", "degraded", "down"]),
  checks: z
    .array(
      model<HealthReport["checks"][number]>()({
        name: z.enum(["d1", "kv", "limiter", "outbox"]),
        isHealthy: z.boolean(),
        latencyMs: count,
      }),
    )
    .max(10),
});

/** Every refusal and failure. Source: RFC 9457. */
const problem = z.strictObject({
  type: text(100).meta({ format: "uri-reference" }).describe("Where the code is explained to a person."),
  title: text(200),
  status: z.int().min(400).max(599),
  detail: text(1_000).describe("A sentence about this occurrence."),
  instance: text(2_048).meta({ format: "uri-reference" }),
  code: z.enum(ERROR_CODES).describe("What to branch on. Codes are added, never renamed."),
  requestId: text(128),
  errors: z
    .array(model<Violation>()({ pointer: text(500), code: text(100), message: text(500) }))
    .max(1_000)
    .optional()
    .describe("Of `validation_failed`: JSON Pointers into the body, or `#/query/limit` and the like."),
  products: z
    .array(z.strictObject({ productId: id, requested: count, available: count }))
    .max(50)
    .optional()
    .describe("Of `out_of_stock`: what is short."),
  "violated-policies": z
    .array(z.strictObject({ type: text(200).meta({ format: "uri" }), policy: text(100) }))
    .max(10)
    .optional()
    .describe("Of `rate_limited`: which budgets refused."),
});

/** By the name that the document gives each. */
export const OUTPUTS = {
  User: user,
  Profile: profile,
  LogIn: model<LogIn>()({ ...tokenPair.shape, user }),
  TokenPair: tokenPair,
  Session: session,
  Product: product,
  Order: order,
  OrderItem: orderItem,
  OrderHistoryEntry: orderHistoryEntry,
  Event: event,
  EventLedger: eventLedger,
  DeadLetter: deadLetter,
  ReplayReport: replayReport,
  Webhook: webhook,
  WebhookWithSecret: webhookWithSecret,
  WebhookDelivery: webhookDelivery,
  WebhookTest: webhookTest,
  Limit: z.union([clientLimit, planLimit]),
  AuditEntry: auditEntry,
  SignupDay: model<SignupDay>()({ date: z.iso.date().max(10), count }),
  JsonWebKeySet: z.strictObject({ keys: z.array(jsonWebKey).max(20) }),
  Health: health,
  Liveness: z.strictObject({ status: z.literal("ok") }),
  Explanation: z.strictObject({
    code: z.enum(ERROR_CODES),
    title: text(200),
    status: z.int().min(400).max(599),
    explanation: text(2_000),
  }),
  JsonSchema: z.record(z.string(), z.unknown()).describe("JSON Schema, 2020-12."),
  FrontPage: z.strictObject({
    name: text(100),
    description: text(500),
    links: z.record(z.string(), text(200)),
  }),
  Problem: problem,
} as const satisfies Readonly<Record<string, z.ZodType>>;
export type OutputName = keyof typeof OUTPUTS;
