/** Limits, the audit trail, health, and what every refusal looks like. */
import * as z from "zod";
import { ERROR_CODES, type Violation } from "../../../src/kernel/errors";
import type { AuditEntry } from "../../../src/platform/audit";
import type { HealthReport } from "../../../src/platform/health";
import type { ClientLimit, PlanLimit } from "../../../src/services/operations/limits";
import { clientKey, count, id, model, text, time } from "./fields";

const limitShape = {
  limit: z.int().min(1).max(1_000_000),
  windowSeconds: z.int().min(15).max(86_400),
  isShadow: z.boolean().describe("Counts and reports, but refuses nobody."),
};
export const clientLimit = model<ClientLimit>()({
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
export const planLimit = model<PlanLimit>()({
  ...limitShape,
  plan: text(40),
  clients: z.array(clientKey).max(1_000),
});

export const auditEntry = model<AuditEntry>()({
  id: text(15).regex(/^[0-9]+$/),
  at: time,
  actor: text(200),
  action: text(100),
  subject: text(200),
  details: z.record(z.string(), z.unknown()),
  requestId: text(128),
});

export const health = model<HealthReport>()({
  version: text(100).describe("Id of the deployed version that answers."),
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
export const problem = z.strictObject({
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
