/** A scope, an outbox and queues for tests of events: real D1, a clock that stands, and queues that can refuse. */
import { createMessageBatch } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { newId } from "../../src/platform/clock";
import { type Answer, Database, type Statements } from "../../src/platform/database";
import { newCalls } from "../../src/platform/observability/calls";
import { described, type LogFields, type Logger } from "../../src/platform/observability/logger";
import { type Consumer, type DeliveryMessage, Dispatcher, Outbox } from "../../src/platform/outbox";
import type { DispatcherOptions } from "../../src/platform/outbox/dispatcher";
import type { OutboxOptions } from "../../src/platform/outbox/options";
import type { Scope } from "../../src/platform/scope";

export const NOW = Date.parse("2026-11-22T10:00:00Z");

/** Time that moves only when told. */
export class TestClock {
  now = NOW;
  readonly read = (): number => this.now;
  advance(seconds: number): void {
    this.now += seconds * 1000;
  }
}

export interface TestScope extends Scope {
  /** Resolves when all that was left to `waitUntil` is done. */
  settled(): Promise<void>;
  readonly lines: readonly (LogFields & { readonly event: string })[];
}

export function testScope(clock: TestClock): TestScope {
  const pending: Promise<unknown>[] = [];
  const lines: (LogFields & { event: string })[] = [];
  const log: Logger = {
    log: (level, event, fields = {}) => void lines.push({ ...described(fields), level, event }),
  };
  return {
    requestId: "test",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    clientBookmark: null,
    clock: clock.read,
    newId,
    calls: newCalls(),
    log,
    waitUntil: (work) => void pending.push(work),
    afterResponse: (task) => void pending.push(task()),
    settled: async () => void (await Promise.all(pending)),
    lines,
  };
}

/** Remembers what it was sent; refuses while told to. */
export class TestQueue {
  readonly sent: { readonly body: DeliveryMessage; readonly delaySeconds: number }[] = [];
  isRefusing = false;

  get binding(): Queue<DeliveryMessage> {
    return {
      sendBatch: async (messages: Iterable<MessageSendRequest<DeliveryMessage>>) => {
        if (this.isRefusing) throw new Error("Queue is overloaded");
        for (const { body, delaySeconds } of messages)
          this.sent.push({ body, delaySeconds: delaySeconds ?? 0 });
      },
    } as unknown as Queue<DeliveryMessage>;
  }

  get deliveries(): string[] {
    return this.sent.map(({ body }) => `${body.eventId} ${body.consumer}`);
  }
}

export interface Bench {
  readonly clock: TestClock;
  readonly queue: TestQueue;
  /** Of consumers named `webhook:`. */
  readonly webhooks: TestQueue;
  readonly scope: TestScope;
  readonly database: Database;
  readonly options: OutboxOptions;
  readonly outbox: Outbox;
}

function queuesOf(queue: TestQueue, webhooks: TestQueue): OutboxOptions["queueOf"] {
  const [own, others] = [queue.binding, webhooks.binding];
  return (consumer) => (consumer.startsWith("webhook:") ? others : own);
}

/** `thing.made` goes to `mail` and `count`; `thing.changed` to `refresh`, half a minute later. */
const CONSUMERS: Readonly<Record<string, readonly string[]>> = {
  "thing.made": ["count", "mail"],
  "thing.changed": ["refresh"],
};

export function bench(overrides: Partial<OutboxOptions> = {}): Bench {
  const clock = new TestClock();
  const queue = new TestQueue();
  const webhooks = new TestQueue();
  const scope = testScope(clock);
  const database = new Database(env.DB, scope.calls);
  const options: OutboxOptions = {
    database,
    scope,
    queueOf: queuesOf(queue, webhooks),
    consumersOf: (type) => CONSUMERS[type] ?? [],
    delaySecondsOf: (consumer) => (consumer === "refresh" ? 30 : 0),
    exports: new Map(),
    publicUrl: "https://meridian.example",
    resendSeconds: 60,
    attemptsMax: 8,
    backoffSeconds: 10,
    ...overrides,
  };
  return { clock, queue, webhooks, scope, database, options, outbox: new Outbox(options) };
}

/** What the commits of `commitEvent` answered, by the event's id. */
const answers = new Map<string, Answer<Statements>>();

/** Sends these events of `commitEvent` as a request does after its response. */
export function relaySoon({ outbox }: Pick<Bench, "outbox">, ...ids: readonly string[]): void {
  for (const id of ids) {
    const answer = answers.get(id);
    if (answer === undefined) throw new Error(`${id} was not committed here`);
    outbox.relaySoon(answer);
  }
}

/** Commits an event without any change. */
export async function commitEvent(on: Bench, type = "thing.made", data: object = { a: 1 }): Promise<string> {
  const id = newId();
  const event = { id, type, source: "/meridian/things", subject: id, version: 1, data };
  answers.set(id, await on.database.commit(on.outbox.record(event)));
  return id;
}

export interface QueueOutcome {
  readonly acked: number;
  /** Delays asked for. */
  readonly retried: readonly number[];
}

export function dispatcher(
  on: Bench,
  consumers: Readonly<Record<string, Consumer>>,
  attemptsMax = 3,
  onAttempt: DispatcherOptions["onAttempt"] = () => undefined,
): Dispatcher {
  return new Dispatcher({
    database: on.database,
    scope: on.scope,
    consumerOf: (name) => consumers[name],
    attemptsMax,
    backoffSeconds: 10,
    resendSeconds: 60,
    publicUrl: "https://meridian.example",
    ...(onAttempt === undefined ? {} : { onAttempt }),
  });
}

/** A batch as the queue hands it over, and what came of each of its messages. */
export async function handOver(
  bodies: readonly unknown[],
  handle: (batch: MessageBatch<unknown>) => Promise<void>,
): Promise<QueueOutcome> {
  const batch = createMessageBatch(
    "meridian-events",
    bodies.map((body, index) => ({ id: String(index), timestamp: new Date(NOW), attempts: 1, body })),
  );
  let acked = 0;
  const retried: number[] = [];
  const messages = batch.messages.map((message) => ({
    id: message.id,
    timestamp: message.timestamp,
    attempts: message.attempts,
    body: message.body,
    ack: () => {
      acked += 1;
    },
    retry: (options?: QueueRetryOptions) => void retried.push(options?.delaySeconds ?? 0),
  }));
  await handle({ ...batch, messages } as unknown as MessageBatch<unknown>);
  return { acked, retried };
}

export interface DeliveryRow {
  readonly event_id: string;
  readonly consumer: string;
  readonly state: string;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly due_at: number;
  readonly sent_at: number | null;
  readonly done_at: number | null;
}

export async function deliveriesOf(eventId: string): Promise<DeliveryRow[]> {
  const { results } = await env.DB.prepare(
    "select * from event_deliveries where event_id = ? order by consumer",
  )
    .bind(eventId)
    .all<DeliveryRow>();
  return results;
}

export async function rowsOf<Row>(query: string, ...params: unknown[]): Promise<Row[]> {
  const { results } = await env.DB.prepare(query)
    .bind(...params)
    .all<Row>();
  return results;
}
