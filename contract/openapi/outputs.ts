/** The schemas of answers, by the name that the document gives each. */
import { ERROR_CODES } from "../../src/kernel/errors";
import { cloudEventSchema } from "../../src/kernel/event";
import { text } from "../../src/kernel/output-fields";
import { shortageSchema, violatedPolicySchema, violationSchema } from "../../src/kernel/refusal-details";
import * as z from "../../src/kernel/schema";
import { auditEntrySchema } from "../../src/platform/audit";
import { healthSchema } from "../../src/platform/health";
import { deadLetterSchema, eventLedgerSchema } from "../../src/platform/outbox";
import { logInAnswerSchema, publicKeySchema, sessionSchema, tokenPairSchema } from "../../src/services/auth";
import { signupDaySchema } from "../../src/services/operations/analytics";
import { replayReportSchema } from "../../src/services/operations/events";
import { clientLimitSchema, planLimitSchema } from "../../src/services/operations/limits";
import {
  orderHistoryEntrySchema,
  orderItemSchema,
  orderSchema,
  productSchema,
} from "../../src/services/orders";
import { profileSchema, userSchema } from "../../src/services/users";
import {
  webhookDeliverySchema,
  webhookSchema,
  webhookTestSchema,
  webhookWithSecretSchema,
} from "../../src/services/webhooks";

const uriReference = (max: number) => text(max).check(z.meta({ format: "uri-reference" }));

/** Every refusal and failure. Source: RFC 9457. */
const problem = z.strictObject({
  type: uriReference(100).check(z.describe("Where the code is explained to a person.")),
  title: text(200),
  status: z.int().check(z.minimum(400), z.maximum(599)),
  detail: text(1_000).check(z.describe("A sentence about this occurrence.")),
  instance: uriReference(2_048),
  code: z.enum(ERROR_CODES).check(z.describe("What to branch on. Codes are added, never renamed.")),
  requestId: text(128),
  errors: z
    .optional(z.array(violationSchema()).check(z.maxLength(1_000)))
    .check(
      z.describe("Of `validation_failed`: JSON Pointers into the body, or `#/query/limit` and the like."),
    ),
  products: z
    .optional(z.array(shortageSchema()).check(z.maxLength(50)))
    .check(z.describe("Of `out_of_stock`: what is short.")),
  "violated-policies": z
    .optional(z.array(violatedPolicySchema()).check(z.maxLength(10)))
    .check(z.describe("Of `rate_limited`: which budgets refused.")),
});

export const OUTPUTS = {
  User: userSchema(),
  Profile: profileSchema(),
  LogIn: logInAnswerSchema(),
  TokenPair: tokenPairSchema(),
  Session: sessionSchema(),
  Product: productSchema(),
  Order: orderSchema(),
  OrderItem: orderItemSchema(),
  OrderHistoryEntry: orderHistoryEntrySchema(),
  Event: cloudEventSchema(),
  EventLedger: eventLedgerSchema(),
  DeadLetter: deadLetterSchema(),
  ReplayReport: replayReportSchema(),
  Webhook: webhookSchema(),
  WebhookWithSecret: webhookWithSecretSchema(),
  WebhookDelivery: webhookDeliverySchema(),
  WebhookTest: webhookTestSchema(),
  Limit: z.union([clientLimitSchema(), planLimitSchema()]),
  AuditEntry: auditEntrySchema(),
  SignupDay: signupDaySchema(),
  JsonWebKeySet: z.strictObject({ keys: z.array(publicKeySchema()).check(z.maxLength(20)) }),
  Health: healthSchema(),
  Liveness: z.strictObject({ status: z.literal("ok") }),
  Explanation: z.strictObject({
    code: z.enum(ERROR_CODES),
    title: text(200),
    status: z.int().check(z.minimum(400), z.maximum(599)),
    explanation: text(2_000),
  }),
  JsonSchema: z.record(z.string(), z.unknown()).check(z.describe("JSON Schema, 2020-12.")),
  FrontPage: z.strictObject({
    name: text(100),
    description: text(500),
    links: z.record(z.string(), text(200)),
  }),
  Problem: problem,
} as const satisfies Readonly<Record<string, z.ZodMiniType>>;
export type OutputName = keyof typeof OUTPUTS;
