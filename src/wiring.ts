/** The composition root: the only file that builds services out of bindings. All of it is cheap, and made per request. */

import type { Services, Wire } from "./gateway/request-context";
import { EVENT_TYPES } from "./jobs/event-catalogue";
import { recordEvent } from "./jobs/event-metrics";
import { exportQueues, exportsOf } from "./jobs/exports";
import { consumersOf, delaySecondsOf } from "./jobs/registry";
import type { Outcome } from "./kernel/errors";
import { lazily } from "./kernel/lazily";
import { passwordViolations } from "./kernel/password-policy";
import { Analytics } from "./platform/analytics";
import { CountedBudget, newRefusalMemory } from "./platform/attempt-counts";
import { AuditTrail } from "./platform/audit";
import { Database } from "./platform/database";
import { Deriver } from "./platform/deriver";
import { resolveOverHttps } from "./platform/dns";
import type { Config } from "./platform/env";
import { fetchJson } from "./platform/fetch-json";
import { checkHealth, HealthMemory } from "./platform/health";
import { sweepIdempotencyRecords } from "./platform/idempotency";
import { kept, keptFor } from "./platform/isolate";
import { Keyset } from "./platform/keyset";
import {
  defaultPolicyOf,
  exactBudgetsOf,
  type Limiter,
  limiterAdminOf,
  limiterOf,
  pingLimiter,
  shieldOf,
  userKey,
} from "./platform/limiter";
import { inSpan } from "./platform/observability/tracing";
import { type DeliveryMessage, Outbox, oldestDueMs, readBacklog } from "./platform/outbox";
import { PasswordHasher } from "./platform/password-hasher";
import type { Scope } from "./platform/scope";
import { Sealer } from "./platform/sealing";
import { Vault } from "./platform/vault";
import {
  AccessTokens,
  AccountMails,
  AddressProof,
  Attempts,
  type AuthBudgets,
  type AuthDependencies,
  Authenticator,
  AuthService,
  authBudgetsOf,
  ForeignKeyMemory,
  ForeignKeys,
  type ForeignToken,
  ForeignTokens,
  IdentityCache,
  IdentityRepository,
  KeySet,
  newIdentityMemory,
  OneTimeTokenRepository,
  RecoveryService,
  SessionRepository,
  TokenMemory,
  type VerifiedToken,
} from "./services/auth";
import { AnalyticsService } from "./services/operations/analytics";
import { EventService } from "./services/operations/events";
import { LimitService } from "./services/operations/limits";
import { flushContext, metrics } from "./services/operations/metrics/isolate-metrics";
import { type ReportSources, reportMetrics } from "./services/operations/metrics/report";
import { OrderRepository, OrderService, ProductRepository, ProductService } from "./services/orders";
import {
  CredentialRepository,
  newUserMemory,
  type Passwords,
  UserCache,
  type UserDependencies,
  UserRepository,
  UserService,
} from "./services/users";
import { type TargetPolicy, WebhookService, webhookIdOf } from "./services/webhooks";

const userMemory = kept(() => newUserMemory());
const refusedSignUps = kept(() => newRefusalMemory());
const tokenMemory = kept(() => new TokenMemory<VerifiedToken>());
const foreignTokens = kept(() => new TokenMemory<Outcome<ForeignToken>>());
const identityMemory = kept(newIdentityMemory);
const foreignKeys = kept(() => new ForeignKeyMemory());
const healthMemoryOf = keptFor(() => new HealthMemory());
const keySetOf = keptFor((config: Config) => new KeySet(config.JWT_SIGNING_KEYS.keys));

export interface Request {
  readonly env: Env;
  readonly config: Config;
  readonly scope: Scope;
}

/** What services stand on: those of authentication on nearly all of it. */
export interface Foundations extends AuthDependencies {
  readonly limiter: Limiter;
  readonly sealer: Sealer;
  readonly vault: Vault;
  readonly keyset: Keyset;
  readonly orderRepository: OrderRepository;
  readonly productRepository: ProductRepository;
  readonly target: TargetPolicy;
  readonly sources: ReportSources;
  readonly signUps: CountedBudget;
}

/**
 * Builds what services need, a member when it is first used. The budgets are read at once, because an `AUTH_BUDGETS`
 * that is not valid fails every request, as any other variable does.
 */
export function foundationsOf(request: Request): Request & Foundations {
  return foundationsOn({ ...request, budgets: authBudgetsOf(request.config) });
}

type Given = Request & { readonly budgets: AuthBudgets };

const foundationsOn = lazily<Given, Foundations & Given>({
  database: ({ env, scope }) => new Database(env.DB, scope.calls),
  limiter: ({ env, scope }) => limiterOf(env, scope),
  outbox: (on) => outboxOf(on),
  audit: ({ database, scope }) => new AuditTrail(database, scope),
  deriver: ({ config }) => new Deriver(config.DATA_KEY),
  sealer: ({ config }) => new Sealer(config.DATA_KEY),
  vault: ({ config }) => new Vault(config.DATA_KEY),
  keyset: ({ database, sealer, scope }) => new Keyset(database, sealer, scope),
  attempts: ({ env, budgets, deriver, scope }) =>
    new Attempts(exactBudgetsOf(env, budgets, scope), deriver, scope),
  sessions: ({ database }) => new SessionRepository(database),
  oneTimeTokens: ({ database }) => new OneTimeTokenRepository(database),
  identities: ({ database }) => new IdentityRepository(database),
  identityCache: ({ env, deriver, sealer, scope }) =>
    new IdentityCache({ kv: env.USER_CACHE, memory: identityMemory(), deriver, sealer, scope }),
  credentials: ({ database }) => new CredentialRepository(database),
  orderRepository: ({ database }) => new OrderRepository(database),
  productRepository: ({ database }) => new ProductRepository(database),
  users: (on) => new UserService(userFoundationsOf({ on })),
  revoker: (on) => ({
    revoke: (userId, revocations) => revoke(on.limiter, userId, revocations),
  }),
  hasher: ({ scope }) => new PasswordHasher(scope.clock),
  accessTokens: ({ config, scope }) =>
    new AccessTokens({
      keys: keySetOf(config),
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
      ttlSeconds: config.ACCESS_TOKEN_TTL_SECONDS,
      clock: scope.clock,
      memory: tokenMemory(),
    }),
  sessionTtlSeconds: ({ config }) => config.SESSION_TTL_SECONDS,
  sleep: () => (ms) => scheduler.wait(ms),
  target: ({ config }) => ({
    allowLocal: config.WEBHOOK_ALLOW_LOCAL,
    publicUrl: config.PUBLIC_URL,
    deniedDomains: config.WEBHOOK_DENIED_DOMAINS,
    resolve: resolveOverHttps,
  }),
  signUps: ({ env, budgets, database, deriver, scope }) =>
    new CountedBudget({
      ...{ database, deriver, scope },
      shield: shieldOf(env, scope.log),
      memory: refusedSignUps(),
      policy: budgets.signUpPerIp,
    }),
  sources: ({ env, database, scope }) => ({
    bindings: env,
    flush: flushContext(env, scope),
    health: () =>
      checkHealth({
        oldestDueMs: () => oldestDueMs(database),
        kv: () => env.USER_CACHE.get("health"),
        limiter: () => pingLimiter(env, scope),
        version: env.VERSION.id,
        clock: scope.clock,
        log: scope.log,
      }),
    backlog: () => readBacklog(database),
    clock: scope.clock,
    log: scope.log,
  }),
});

const userFoundationsOf = lazily<{ on: Request & Foundations }, UserDependencies>({
  database: ({ on }) => on.database,
  repository: ({ on }) => new UserRepository(on.database),
  cache: ({ on: { env, config, scope } }) =>
    new UserCache({
      kv: env.USER_CACHE,
      memory: userMemory(),
      ttlSeconds: config.USER_CACHE_TTL_SECONDS,
      scope,
    }),
  outbox: ({ on }) => on.outbox,
  keyset: ({ on }) => on.keyset,
  audit: ({ on }) => on.audit,
  signUps: ({ on }) => on.signUps,
  passwords: ({ on }) => passwordsOf(on.scope),
  revoker: ({ on }) => ({
    revokeBelow: (userId, minEpoch) => revoke(on.limiter, userId, { minEpoch }),
  }),
  scope: ({ on }) => on.scope,
});

/** Builds the services of one request, batch or tick, each when it is first used. */
export const servicesOf = lazily<{ on: Request & Foundations }, Services>({
  users: ({ on }) => on.users,
  orders: ({ on }) => new OrderService(orderFoundations(on)),
  products: ({ on: { database, productRepository: repository, outbox, audit, keyset, scope } }) =>
    new ProductService({ database, repository, outbox, audit, keyset, scope }),
  analytics: ({ on: { env, database, scope } }) =>
    new AnalyticsService(database, new Analytics(env.ANALYTICS), scope),
  auth: ({ on }) => new AuthService(on),
  recovery: ({ on }) => new RecoveryService(on),
  addressProof: ({ on }) => new AddressProof(on),
  mails: ({ on }) => new AccountMails(on),
  audit: ({ on }) => on.audit,
  events: ({ on: { database, outbox, audit, keyset, scope, config } }) =>
    new EventService({ database, outbox, audit, keyset, scope, publicUrl: config.PUBLIC_URL }),
  webhooks: ({ on: { database, outbox, audit, keyset, vault, target, scope } }) =>
    new WebhookService({
      ...{ database, outbox, audit, keyset, vault, target, scope },
      knownTypes: EVENT_TYPES,
    }),
  accessTokens: ({ on }) => on.accessTokens,
  authenticator: ({ on }) =>
    new Authenticator(
      on.accessTokens,
      new ForeignTokens(on, {
        issuers: on.config.TRUSTED_ISSUERS,
        keys: new ForeignKeys(foreignKeys(), fetchJson, on.scope.log),
        memory: foreignTokens(),
      }),
    ),
  keySet: ({ on }) => keySetOf(on.config),
  limiter: ({ on }) => on.limiter,
  limits: ({ on: { env, config, database, outbox, audit, scope } }) =>
    new LimitService({
      ...{ database, outbox, audit, scope },
      objects: limiterAdminOf(env, scope),
      policy: defaultPolicyOf(config),
    }),
  outbox: ({ on }) => on.outbox,
  recentHealth:
    ({ on: { env, scope, sources } }) =>
    () =>
      healthMemoryOf(env).recall(scope.clock, sources.health),
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

/** Ends tokens of a user, in the object that counts its requests. */
function revoke(limiter: Limiter, userId: string, what: Parameters<Limiter["revoke"]>[1]): Promise<void> {
  return inSpan("limiter.revoke", {}, () => limiter.revoke(userKey(userId), what));
}

/** A request uses a few of its services: each is made when it is first asked for. */
export const wire: Wire = (env, config, scope) => servicesOf({ on: foundationsOf({ env, config, scope }) });

/** What the services of authentication stand on; the other services share its database, outbox and users. */
export function authDependencies(env: Env, config: Config, scope: Scope): AuthDependencies {
  return foundationsOf({ env, config, scope });
}

export function orderFoundations(on: Request & Foundations) {
  const { database, orderRepository, productRepository, outbox, audit, keyset, scope } = on;
  return {
    ...{ database, outbox, audit, keyset, scope },
    repository: orderRepository,
    products: productRepository,
  };
}

function outboxOf({ env, config, scope, database }: Request & Pick<Foundations, "database">): Outbox {
  return new Outbox({
    ...{ database, scope },
    onCommitted: (event) => recordEvent(metrics(), event),
    queueOf: queuesOf(env),
    consumersOf: (type) => [...consumersOf(type), ...exportsOf(type, config.EVENT_EXPORTS)],
    delaySecondsOf,
    exports: exportQueues(env, config.EVENT_EXPORTS),
    publicUrl: config.PUBLIC_URL,
    resendSeconds: config.EVENT_RESEND_SECONDS,
    attemptsMax: config.CONSUMER_ATTEMPTS_MAX,
    backoffSeconds: config.CONSUMER_BACKOFF_SECONDS,
  });
}

/** Endpoints of other people may hang for seconds, each time: their deliveries have a queue of their own. */
function queuesOf(env: Env): (consumer: string) => Queue<DeliveryMessage> {
  const events: Queue<DeliveryMessage> = env.EVENTS;
  const webhooks: Queue<DeliveryMessage> = env.WEBHOOKS;
  return (consumer) => (webhookIdOf(consumer) === null ? events : webhooks);
}

/** Sign-up's port to passwords: `users` stands below `auth`, which owns them. */
function passwordsOf(scope: Scope): Passwords {
  const hasher = new PasswordHasher(scope.clock);
  return {
    violationsOf: (password, person) => passwordViolations(password, person, "#/password"),
    hash: (password) => hasher.hash(password),
  };
}
