/** The composition root: the only file that builds services out of bindings. All of it is cheap and made per request. */

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
import type { Services, Wire } from "./gateway/request-context";
import { passwordViolations } from "./kernel/password-policy";
import { Analytics } from "./platform/analytics";
import { AuditTrail } from "./platform/audit";
import { Database } from "./platform/database";
import { Deriver } from "./platform/deriver";
import { resolveOverHttps } from "./platform/dns";
import type { Config } from "./platform/env";
import { fetchJson } from "./platform/fetch-json";
import { checkHealth } from "./platform/health";
import { sweepIdempotencyRecords } from "./platform/idempotency";
import { Keyset } from "./platform/keyset";
import {
  authBudgetsOf,
  type Limiter,
  limiterAdminOf,
  limiterOf,
  policiesOf,
  userKey,
} from "./platform/limiter";
import { Mailer } from "./platform/mailer";
import { type DeliveryMessage, Outbox } from "./platform/outbox";
import { PasswordHasher } from "./platform/password-hasher";
import type { Scope } from "./platform/scope";
import { Sealer } from "./platform/sealing";
import { Vault } from "./platform/vault";
import { AnalyticsService } from "./services/analytics";
import {
  AccessTokens,
  AccountMails,
  Attempts,
  type AuthDependencies,
  Authenticator,
  AuthRepository,
  AuthService,
  ForeignKeyMemory,
  ForeignKeys,
  type ForeignToken,
  ForeignTokens,
  KeySet,
  RecoveryService,
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
const foreignTokens = new TokenMemory<ForeignToken>();
const foreignKeys = new ForeignKeyMemory();
let rememberedKeys: { readonly config: Config; readonly keySet: KeySet } | undefined;

export const wire: Wire = (env, config, scope) => {
  const auth = authDependencies(env, config, scope);
  const { database, outbox, users, audit, accessTokens } = auth;
  const target: TargetPolicy = { allowLocal: config.WEBHOOK_ALLOW_LOCAL, resolve: resolveOverHttps };
  const vault = new Vault(config.DATA_KEY);
  const sealer = new Sealer(config.DATA_KEY);
  return {
    users,
    ...ordersOf({ config, scope, database, outbox }),
    analytics: new AnalyticsService(database, new Analytics(env.ANALYTICS), scope),
    auth: new AuthService(auth),
    recovery: new RecoveryService(auth),
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
    limiter: limiterOf(env, scope),
    limits: new LimitService({
      database,
      audit,
      objects: limiterAdminOf(env, scope),
      policy: policiesOf(config).default,
    }),
    outbox,
    health: () => checkHealth({ database, kv: env.USER_CACHE, clock: scope.clock }),
    bookmark: () => database.bookmark(),
    sweepIdempotencyRecords: () => sweepIdempotencyRecords(database, scope.clock()),
  };
};

/** What the services of authentication stand on; the other services share its database, outbox and users. */
export function authDependencies(env: Env, config: Config, scope: Scope): AuthDependencies {
  const database = new Database(env.DB, scope.calls);
  const limiter = limiterOf(env, scope);
  const outbox = outboxOf(env, config, scope, database);
  const audit = new AuditTrail(database, scope);
  const deriver = new Deriver(config.DATA_KEY);
  const attempts = new Attempts(authBudgetsOf(env, config, scope), deriver, scope);
  return {
    database,
    repository: new AuthRepository(database),
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
  const mailer = new Mailer(env.EMAIL, config.MAIL_FROM);
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
    cache: new UserCache({
      kv: env.USER_CACHE,
      memory: userMemory,
      ttlSeconds: config.USER_CACHE_TTL_SECONDS,
      scope,
    }),
    outbox,
    sealer: new Sealer(config.DATA_KEY),
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
    orders: new OrderService({ database, repository, products, outbox, audit, keyset, scope }),
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

function outboxOf(env: Env, config: Config, scope: Scope, database: Database): Outbox {
  return new Outbox({
    database,
    scope,
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
