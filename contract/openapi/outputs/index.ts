/**
 * What the API answers, as schemas. Each shape is checked against its model by the compiler: a field that one of them
 * lacks, or has of another type, does not build.
 */
import * as z from "zod";
import { ERROR_CODES } from "../../../src/kernel/errors";
import type { LogIn } from "../../../src/services/auth";
import type { SignupDay } from "../../../src/services/operations/analytics";
import { jsonWebKey, profile, session, tokenPair, user } from "./accounts";
import {
  deadLetter,
  event,
  eventLedger,
  replayReport,
  webhook,
  webhookDelivery,
  webhookTest,
  webhookWithSecret,
} from "./events";
import { count, model, text } from "./fields";
import { auditEntry, clientLimit, health, planLimit, problem } from "./operations";
import { order, orderHistoryEntry, orderItem, product } from "./orders";

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
