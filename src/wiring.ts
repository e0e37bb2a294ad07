/** The composition root: the only file that builds services out of bindings. All of it is cheap and made per request. */

import { figuresOf } from "./gateway/alerts/figures";
import { notifierOf } from "./gateway/alerts/notifier";
import { Watchman } from "./gateway/alerts/watchman";
import { accountErasure, revocationRepeat } from "./gateway/consumers/account-end";
import {
  emailChangeMail,
  passwordResetMail,
  securityNotice,
  verificationMail,
} from "./gateway/consumers/account-mails";
import { analytics } from "./gateway/consumers/analytics";
import { cacheRefresh } from "./gateway/consumers/cache-refresh";
import { exportQueues, exportsOf } from "./gateway/consumers/exports";
import { orderMail } from "./gateway/consumers/order-mail";
import { ordersForgetUser } from "./gateway/consumers/orders-forget-user";
import type { Consumers } from "./gateway/consumers/registry";
import { consumersOf, delaySecondsOf } from "./gateway/consumers/registry";
import { welcomeMail } from "./gateway/consumers/welcome-mail";
import { EVENT_TYPES } from "./gateway/event-catalogue";
import { MeteredAuthService, recordEvent } from "./gateway/metrics/business";
import { flushContext, metrics } from "./gateway/metrics/isolate-metrics";
import { MeteredMailer } from "./gateway/metrics/metered-mailer";
import { deliverAndRead, type ReportSources, readGauges, reportMetrics } from "./gateway/metrics/report";
import type { Services, Wire } from "./gateway/request-context";
import type { Outcome } from "./kernel/errors";
import { passwordViolations } from "./kernel/password-policy";
import { Analytics } from "./platform/analytics";
import { AuditTrail } from "./platform/audit";
import { Database } from "./platform/database";
import { Deriver } from "./platform/deriver";
import { resolveOverHttps } from "./platform/dns";
import type { Config } from "./platform/env";
import { fetchJson } from "./platform/fetch-json";
import { checkHealth, HealthMemory } from "./platform/health";
import { sweepIdempotencyRecords } from "./platform/idempotency";
import { Keyset } from "./platform/keyset";
import {
  authBudgetsOf,
  type Limiter,
  limiterAdminOf,
  limiterOf,
  pingLimiter,
  policiesOf,
  userKey,
} from "./platform/limiter";
import { alertShelf } from "./platform/observability/alerts";
import { methodsOf, traced } from "./platform/observability/tracing";
import { type DeliveryMessage, Outbox, oldestDueMs, readBacklog } from "./platform/outbox";
import { PasswordHasher } from "./platform/password-hasher";
import type { Scope } from "./platform/scope";
import { Sealer } from "./platform/sealing";
import { Vault } from "./platform/vault";
import { AnalyticsService } from "./services/analytics";
import {
  AccessTokens,
  AccountMails,
  AddressProof,
  Attempts,
  type AuthDependencies,
  Authenticator,
  AuthService,
  ForeignKeyMemory,
  ForeignKeys,
  type ForeignToken,
  ForeignTokens,
  IdentityRepository,
  KeySet,
  OneTimeTokenRepository,
  RecoveryService,
  SessionRepository,
  TokenMemory,
  type VerifiedToken,
} from "./services/auth";
import { EventService } from "./services/events";
import { LimitService } from "./services/limits";
import {
  OrderExpiry,
  OrderRepository,
  OrderService,
  ProductRepository,
  ProductService,
} from "./services/orders";
import {
  CredentialRepository,
  newUserMemory,
  type Passwords,
  UserCache,
  UserRepository,
  UserService,
} from "./services/users";
import { type TargetPolicy, WebhookDeliverer, WebhookService } from "./services/webhooks";

/** What outlives a request: values only, never a promise, stream or client. */
const userMemory = newUserMemory();
const tokenMemory = new TokenMemory<VerifiedToken>();
const foreignTokens = new TokenMemory<Outcome<ForeignToken>>();
const foreignKeys = new ForeignKeyMemory();
const healthMemories = new WeakMap<object, HealthMemory>();
let rememberedKeys: { readonly config: Config; readonly keySet: KeySet } | undefined;

export const wire: Wire = (env, config, scope) => {
  const auth = authDependencies(env, config, scope);
  const { database, outbox, users, audit, accessTokens } = auth;
  const health = () =>
    checkHealth({
      oldestDueMs: () => oldestDueMs(database),
      kv: () => env.USER_CACHE.get("health"),
      limiter: () => pingLimiter(env, scope),
      clock: scope.clock,
    });
  const sources: ReportSources = {
    bindings: env,
    flush: flushContext(env, scope),
    health,
    backlog: () => readBacklog(database),
    clock: scope.clock,
  };
  const target: TargetPolicy = { allowLocal: config.WEBHOOK_ALLOW_LOCAL, resolve: resolveOverHttps };
  const vault = new Vault(config.DATA_KEY);
  const sealer = new Sealer(config.DATA_KEY);
  return {
    users: traced("users", users, methodsOf(UserService)),
    ...ordersOf({ config, scope, database, outbox }),
    analytics: new AnalyticsService(database, new Analytics(env.ANALYTICS), scope),
    auth: traced("auth", new MeteredAuthService(auth, metrics), methodsOf(AuthService)),
    recovery: traced("recovery", new RecoveryService(auth), methodsOf(RecoveryService)),
    addressProof: traced("address-proof", new AddressProof(auth), methodsOf(AddressProof)),
    mails: new AccountMails(auth),
    audit,
    events: new EventService({
      database,
      outbox,
      audit,
      sealer,
      scope,
      publicUrl: config.PUBLIC_URL,
    }),
    webhooks: new WebhookService({
      ...{ database, outbox, audit, sealer, vault, target, scope },
      knownTypes: EVENT_TYPES,
    }),
    webhookDeliverer: new WebhookDeliverer({
      ...{ database, vault, target, scope },
      backoffSeconds: config.WEBHOOK_BACKOFF_SECONDS,
    }),
    accessTokens,
    authenticator: new Authenticator(
      accessTokens,
      new ForeignTokens(auth, {
        issuers: config.TRUSTED_ISSUERS,
        keys: new ForeignKeys(foreignKeys, fetchJson),
        memory: foreignTokens,
      }),
    ),
    keySet: keySetOf(config),
    limiter: traced("limiter", limiterOf(env, scope), ["admit", "revoke"]),
    limits: new LimitService({
      database,
      audit,
      objects: limiterAdminOf(env, scope),
      policy: policiesOf(config).default,
    }),
    outbox,
    recentHealth: () => healthMemoryOf(env).recall(scope.clock, health),
    reportMetrics: (format) => reportMetrics(sources, format),
    watchman: new Watchman({
      shelf: alertShelf(env),
      measure: async () => figuresOf(...(await Promise.all([deliverAndRead(sources), readGauges(sources)]))),
      notify:
        config.ALERT_TO === ""
          ? null
          : notifierOf(config.ALERT_TO, new MeteredMailer(env.EMAIL, config.MAIL_FROM, metrics)),
      scope,
    }),
    bookmark: () => database.bookmark(),
    sweepIdempotencyRecords: () => sweepIdempotencyRecords(database, scope.clock()),
  };
};

/** By bindings, which an isolate has once. */
function healthMemoryOf(env: Env): HealthMemory {
  const memory = healthMemories.get(env) ?? new HealthMemory();
  healthMemories.set(env, memory);
  return memory;
}

/** What the services of authentication stand on; the other services share its database, outbox and users. */
export function authDependencies(env: Env, config: Config, scope: Scope): AuthDependencies {
  const database = new Database(env.DB, scope.calls);
  const limiter = traced("limiter", limiterOf(env, scope), ["admit", "revoke"]);
  const outbox = outboxOf(env, config, scope);
  const audit = new AuditTrail(database, scope);
  const deriver = new Deriver(config.DATA_KEY);
  const attempts = new Attempts(authBudgetsOf(env, config, scope), deriver, scope);
  return {
    database,
    sessions: new SessionRepository(database),
    oneTimeTokens: new OneTimeTokenRepository(database),
    identities: new IdentityRepository(database),
    credentials: new CredentialRepository(database),
    users: usersOf({ env, config, scope, database, limiter, outbox, audit, attempts }),
    outbox,
    audit,
    attempts,
    revoker: { revoke: (userId, revocations) => limiter.revoke(userKey(userId), revocations) },
    hasher: new PasswordHasher(scope.clock),
    accessTokens: new AccessTokens({
      keys: keySetOf(config),
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
      ttlSeconds: config.ACCESS_TOKEN_TTL_SECONDS,
      clock: scope.clock,
      memory: tokenMemory,
    }),
    deriver,
    sessionTtlSeconds: config.SESSION_TTL_SECONDS,
    sleep: (ms) => scheduler.wait(ms),
    scope,
  };
}

/** The handlers of the consumers' registry, for one batch of messages. */
export function wireConsumers(env: Env, config: Config, services: Services): Consumers {
  const { users, mails, orders } = services;
  const mailer = new MeteredMailer(env.EMAIL, config.MAIL_FROM, metrics);
  const mail = { mails, mailer, publicUrl: config.PUBLIC_URL };
  const order = {
    contactOf: (userId: string) => users.contactOf(userId),
    mailer,
    publicUrl: config.PUBLIC_URL,
    orders,
  };
  return {
    "welcome-mail": welcomeMail(mail),
    "password-reset-mail": passwordResetMail(mail),
    "verification-mail": verificationMail(mail),
    "email-change-mail": emailChangeMail(mail),
    "security-notice": securityNotice(mail),
    "account-erasure": accountErasure(services.auth),
    "revocation-repeat": revocationRepeat(services.auth),
    "order-confirmation-mail": orderMail({ ...order, kind: "confirmation" }),
    "order-shipping-mail": orderMail({ ...order, kind: "shipping" }),
    "orders-forget-user": ordersForgetUser(orders),
    "orders-forget-user-late": ordersForgetUser(orders),
    analytics: analytics(services.analytics),
    "cache-refresh": cacheRefresh({ refresh: (userId) => users.refreshCache(userId) }),
    webhook: services.webhookDeliverer,
  };
}

function usersOf(on: {
  env: Env;
  config: Config;
  scope: Scope;
  database: Database;
  limiter: Limiter;
  outbox: Outbox;
  audit: AuditTrail;
  attempts: Attempts;
}): UserService {
  const { env, config, scope, database, limiter, outbox, audit, attempts } = on;
  return new UserService({
    database,
    repository: new UserRepository(database),
    cache: traced(
      "cache",
      new UserCache({
        kv: env.USER_CACHE,
        memory: userMemory,
        ttlSeconds: config.USER_CACHE_TTL_SECONDS,
        scope,
      }),
      ["read", "refresh"],
    ),
    outbox,
    keyset: new Keyset(database, new Sealer(config.DATA_KEY), scope),
    audit,
    signUps: { begin: () => attempts.begin([["signUpPerIp", "caller"]]) },
    passwords: passwordsOf(scope),
    revoker: { revokeBelow: (userId, minEpoch) => limiter.revoke(userKey(userId), { minEpoch }) },
    scope,
  });
}

function ordersOf(on: { config: Config; scope: Scope; database: Database; outbox: Outbox }) {
  const { config, scope, database, outbox } = on;
  const audit = new AuditTrail(database, scope);
  const keyset = new Keyset(database, new Sealer(config.DATA_KEY), scope);
  const repository = new OrderRepository(database);
  const products = new ProductRepository(database);
  return {
    orders: traced(
      "orders",
      new OrderService({ database, repository, products, outbox, audit, keyset, scope }),
      methodsOf(OrderService),
    ),
    products: new ProductService({ database, repository: products, audit, keyset, scope }),
    orderExpiry: new OrderExpiry({
      database,
      repository,
      products,
      outbox,
      scope,
      pendingTtlSeconds: config.ORDER_PENDING_TTL_SECONDS,
    }),
  };
}

/** What it sends, it sends after the response: so with counts, and a database, of its own. */
function outboxOf(env: Env, config: Config, scope: Scope): Outbox {
  const calls = scope.callsAfterResponse ?? scope.calls;
  return new Outbox({
    database: new Database(env.DB, calls),
    scope: { ...scope, calls },
    onCommitted: (event) => recordEvent(metrics, event),
    queue: env.EVENTS as Queue<DeliveryMessage>,
    consumersOf: (type) => [...consumersOf(type), ...exportsOf(type, config.EVENT_EXPORTS)],
    delaySecondsOf,
    exports: exportQueues(env, config.EVENT_EXPORTS),
    publicUrl: config.PUBLIC_URL,
    resendSeconds: config.EVENT_RESEND_SECONDS,
    attemptsMax: config.CONSUMER_ATTEMPTS_MAX,
    backoffSeconds: config.CONSUMER_BACKOFF_SECONDS,
  });
}

/** Sign-up's port to passwords: `users` stands below `auth`, which owns them. */
function passwordsOf(scope: Scope): Passwords {
  const hasher = new PasswordHasher(scope.clock);
  return {
    violationsOf: (password, person) => passwordViolations(password, person, "#/password"),
    hash: (password) => hasher.hash(password),
  };
}

function keySetOf(config: Config): KeySet {
  if (rememberedKeys?.config !== config) {
    rememberedKeys = { config, keySet: new KeySet(config.JWT_SIGNING_KEYS.keys) };
  }
  return rememberedKeys.keySet;
}
