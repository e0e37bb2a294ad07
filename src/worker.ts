/** Contents page of the Worker: what Cloudflare calls, and what it exports. */
import { consume } from "./gateway/consumers/queue";
import { consumerOf } from "./gateway/consumers/registry";
import { createApp } from "./gateway/http/app";
import { runScheduled } from "./gateway/scheduled";
import { backgroundScope } from "./platform/background-scope";
import { Database } from "./platform/database";
import { configOf } from "./platform/env";
import { Dispatcher } from "./platform/outbox";
import { wire, wireConsumers } from "./wiring";

const app = createApp(wire);

export default {
  fetch: app.fetch,

  async queue(batch, env, ctx) {
    const config = configOf(env);
    const scope = backgroundScope("queue", config, ctx);
    const consumers = wireConsumers(env, config, wire(env, config, scope));
    const dispatcher = new Dispatcher({
      database: new Database(env.DB, scope.calls),
      scope,
      consumerOf: consumerOf(consumers),
      attemptsMax: config.CONSUMER_ATTEMPTS_MAX,
      backoffSeconds: config.CONSUMER_BACKOFF_SECONDS,
      resendSeconds: config.EVENT_RESEND_SECONDS,
      publicUrl: config.PUBLIC_URL,
    });
    await consume(batch, dispatcher);
  },

  async scheduled(_controller, env, ctx) {
    const config = configOf(env);
    const scope = backgroundScope("cron", config, ctx);
    await runScheduled(wire(env, config, scope), config, scope);
  },
} satisfies ExportedHandler<Env>;

export { AuthEntrypoint, OrdersEntrypoint, UsersEntrypoint } from "./entrypoints";
export { ClientLimiter } from "./platform/limiter/client-limiter";
