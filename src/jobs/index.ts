/**
 * The composition root of what Cloudflare starts without a request: queue batches and cron ticks. `worker.ts` loads this
 * module when the first of them arrives, so an isolate that only serves requests never reads it.
 */

import { backgroundScope } from "../platform/background-scope";
import { Database } from "../platform/database";
import { type Config, configOf } from "../platform/env";
import { Mailer } from "../platform/mailer";
import { alertShelf } from "../platform/observability/alerts";
import { Dispatcher } from "../platform/outbox";
import type { Scope } from "../platform/scope";
import { recordAttempt } from "../services/operations/metrics/consumers";
import { metrics } from "../services/operations/metrics/isolate-metrics";
import { recordCalls } from "../services/operations/metrics/record-calls";
import { deliverAndRead, readGauges } from "../services/operations/metrics/report";
import { type Foundations, foundationsOf, type Request, servicesOf } from "../wiring";
import { figuresOf } from "./alerts/figures";
import { notifierOf } from "./alerts/notifier";
import { Watchman } from "./alerts/watchman";
import { accountErasure, revocationRepeat } from "./consumers/account-end";
import { analytics } from "./consumers/analytics";
import { cacheRefresh } from "./consumers/cache-refresh";
import { ordersForgetUser } from "./consumers/orders-forget-user";
import { type CronServices, runScheduled } from "./cron";
import { emailChangeMail, passwordResetMail, securityNotice, verificationMail } from "./mails/account-mails";
import { orderMail } from "./mails/order-mail";
import { welcomeMail } from "./mails/welcome-mail";
import { consume } from "./queue";
import { type Consumers, consumerOf } from "./registry";

/** Handles one batch of a queue. Each message is acknowledged or retried by itself. */
export async function runBatch(batch: MessageBatch<unknown>, env: Env, ctx: ExecutionContext): Promise<void> {
  const config = configOf(env);
  const scope = backgroundScope("queue", config, ctx);
  const dispatcher = new Dispatcher({
    database: new Database(env.DB, scope.calls),
    scope,
    consumerOf: consumerOf(await wireConsumers(env, config, scope)),
    attemptsMax: config.CONSUMER_ATTEMPTS_MAX,
    backoffSeconds: config.CONSUMER_BACKOFF_SECONDS,
    resendSeconds: config.EVENT_RESEND_SECONDS,
    publicUrl: config.PUBLIC_URL,
    onAttempt: (report) => recordAttempt(metrics(), report),
  });
  await consume(batch, dispatcher);
  scope.log.log("info", "batch", { queue: batch.queue, messages: batch.messages.length, ...scope.calls });
  recordCalls(metrics(), "queue", scope.calls);
}

/** Runs one tick of the cron. */
export async function runTick(env: Env, ctx: ExecutionContext): Promise<void> {
  const config = configOf(env);
  const scope = backgroundScope("cron", config, ctx);
  await runScheduled(await wireCron(env, config, scope), config, scope);
  recordCalls(metrics(), "cron", scope.calls);
}

/** Builds the handlers of the consumers' registry for one batch of messages. */
export async function wireConsumers(env: Env, config: Config, scope: Scope): Promise<Consumers> {
  const on = foundationsOf({ env, config, scope });
  const services = servicesOf({ on });
  const { users, mails, orders } = services;
  const mailer = mailerOf(on);
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
    webhook: await on.webhooks.loadDeliverer(),
  };
}

/** Builds what one tick of the cron runs. */
export async function wireCron(env: Env, config: Config, scope: Scope): Promise<CronServices> {
  const on = foundationsOf({ env, config, scope });
  return {
    services: servicesOf({ on }),
    orderExpiry: await on.orders.loadExpiry(),
    watchman: watchmanOf(on),
  };
}

function watchmanOf(on: Foundations): Watchman {
  const { env, config, scope, sources } = on;
  return new Watchman({
    shelf: alertShelf(env),
    measure: async () => figuresOf(...(await Promise.all([deliverAndRead(sources), readGauges(sources)]))),
    notify: config.ALERT_TO === "" ? null : notifierOf(config.ALERT_TO, mailerOf(on)),
    scope,
  });
}

function mailerOf({ env, config }: Request): Mailer {
  return new Mailer(env.EMAIL, config.MAIL_FROM, (outcome) => metrics().count("mails_total", { outcome }));
}
