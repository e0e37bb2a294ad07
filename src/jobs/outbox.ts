/** The outbox with this Worker's queues, and with the consumers of its registry and of other teams. */
import type { Database } from "../platform/database";
import type { Config } from "../platform/env";
import { type DeliveryMessage, Outbox } from "../platform/outbox";
import type { Scope } from "../platform/scope";
import { metrics } from "../services/operations/metrics/isolate-metrics";
import { webhookIdOf } from "../services/webhooks";
import { recordEvent } from "./event-metrics";
import { exportQueues, exportsOf } from "./exports";
import { consumersOf, delaySecondsOf } from "./registry";

interface OutboxFoundation {
  readonly env: Env;
  readonly config: Config;
  readonly database: Database;
  readonly scope: Scope;
}

export function outboxOf({ env, config, database, scope }: OutboxFoundation): Outbox {
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
