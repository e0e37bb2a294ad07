/** The composition root: the only file that builds services out of bindings. All of it is cheap, and made per request. */

import type { Services, Wire } from "./gateway/request-context";
import { EVENT_TYPES } from "./jobs/event-catalogue";
import { outboxOf } from "./jobs/outbox";
import { lazily } from "./kernel/lazily";
import { Analytics } from "./platform/analytics";
import { CountedBudget } from "./platform/attempt-counts";
import { AuditTrail } from "./platform/audit";
import { Database } from "./platform/database";
import { Deriver } from "./platform/deriver";
import type { Config } from "./platform/env";
import { sweepIdempotencyRecords } from "./platform/idempotency";
import { Keyset } from "./platform/keyset";
import { defaultPolicyOf, type Limiter, limiterAdminOf, limiterOf, shieldOf } from "./platform/limiter";
import type { Outbox } from "./platform/outbox";
import { PasswordHasher } from "./platform/password-hasher";
import type { Scope } from "./platform/scope";
import { Sealer } from "./platform/sealing";
import { Vault } from "./platform/vault";
import { type AuthBudgets, type AuthServices, authBudgetsOf, authServices } from "./services/auth";
import { AnalyticsService } from "./services/operations/analytics";
import { EventService } from "./services/operations/events";
import { LimitService } from "./services/operations/limits";
import { reportMetrics } from "./services/operations/metrics/report";
import { reportSources } from "./services/operations/metrics/sources";
import { type OrderServices, orderServices } from "./services/orders";
import { type UserService, usersService } from "./services/users";
import { type WebhookServices, webhookServices } from "./services/webhooks";

export interface Request {
  readonly env: Env;
  readonly config: Config;
  readonly scope: Scope;
}

/** What the services of a request share, and the services themselves, by their folders. */
export interface Foundations extends Request {
  readonly budgets: AuthBudgets;
  readonly database: Database;
  readonly limiter: Limiter;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly deriver: Deriver;
  readonly sealer: Sealer;
  readonly vault: Vault;
  readonly keyset: Keyset;
  readonly hasher: PasswordHasher;
  readonly signUps: CountedBudget;
  readonly eventTypes: readonly string[];
  readonly sources: ReturnType<typeof reportSources>;
  readonly users: UserService;
  readonly auth: AuthServices;
  readonly orders: OrderServices;
  readonly webhooks: WebhookServices;
}

/**
 * Builds what services need, a member when it is first used. The budgets are read at once, because an `AUTH_BUDGETS`
 * that is not valid fails every request, as any other variable does.
 */
export function foundationsOf(request: Request): Foundations {
  return foundationsOn({ ...request, budgets: authBudgetsOf(request.config) });
}

const foundationsOn = lazily<Request & Pick<Foundations, "budgets">, Foundations>({
  database: ({ env, scope }) => new Database(env.DB, scope.calls),
  limiter: ({ env, scope }) => limiterOf(env, scope),
  outbox: (on) => outboxOf(on),
  audit: ({ database, scope }) => new AuditTrail(database, scope),
  deriver: ({ config }) => new Deriver(config.DATA_KEY),
  sealer: ({ config }) => new Sealer(config.DATA_KEY),
  vault: ({ config }) => new Vault(config.DATA_KEY),
  keyset: ({ database, sealer, scope }) => new Keyset(database, sealer, scope),
  hasher: ({ scope }) => new PasswordHasher(scope.clock),
  signUps: ({ env, budgets, database, deriver, scope }) =>
    new CountedBudget({
      ...{ database, deriver, scope },
      shield: shieldOf(env, scope.log),
      policy: budgets.signUpPerIp,
    }),
  eventTypes: () => EVENT_TYPES,
  sources: (on) => reportSources(on),
  users: (on) => usersService(on),
  auth: (on) => authServices({ on }),
  orders: (on) => orderServices({ on }),
  webhooks: (on) => webhookServices({ on }),
});

/** Builds the services of one request, batch or tick, each when it is first used. */
export const servicesOf = lazily<{ on: Foundations }, Services>({
  users: ({ on }) => on.users,
  orders: ({ on }) => on.orders.orders,
  products: ({ on }) => on.orders.products,
  auth: ({ on }) => on.auth.auth,
  recovery: ({ on }) => on.auth.recovery,
  addressProof: ({ on }) => on.auth.addressProof,
  mails: ({ on }) => on.auth.mails,
  accessTokens: ({ on }) => on.auth.accessTokens,
  authenticator: ({ on }) => on.auth.authenticator,
  keySet: ({ on }) => on.auth.keySet,
  webhooks: ({ on }) => on.webhooks.webhooks,
  analytics: ({ on: { env, database, scope } }) =>
    new AnalyticsService(database, new Analytics(env.ANALYTICS), scope),
  events: ({ on: { database, outbox, audit, keyset, scope, config } }) =>
    new EventService({ database, outbox, audit, keyset, scope, publicUrl: config.PUBLIC_URL }),
  limits: ({ on: { env, config, database, outbox, audit, scope } }) =>
    new LimitService({
      ...{ database, outbox, audit, scope },
      objects: limiterAdminOf(env, scope),
      policy: defaultPolicyOf(config),
    }),
  audit: ({ on }) => on.audit,
  limiter: ({ on }) => on.limiter,
  outbox: ({ on }) => on.outbox,
  recentHealth: ({ on }) => on.sources.recentHealth,
  reportMetrics:
    ({ on }) =>
    (format) =>
      reportMetrics(on.sources, format),
  bookmark:
    ({ on }) =>
    () =>
      on.database.bookmark(),
  sweepAttemptCounts:
    ({ on }) =>
    () =>
      on.signUps.sweep(),
  sweepIdempotencyRecords:
    ({ on: { database, scope } }) =>
    () =>
      sweepIdempotencyRecords(database, scope.clock()),
});

/** A request uses a few of its services: each is made when it is first asked for. */
export const wire: Wire = (env, config, scope) => servicesOf({ on: foundationsOf({ env, config, scope }) });
