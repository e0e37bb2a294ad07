import { env } from "cloudflare:workers";
import { CloudEvent } from "cloudevents";
import { expect, test } from "vitest";
import { newId } from "../../src/platform/clock";
import { EventLog } from "../../src/platform/outbox";
import { bench, commitEvent, deliveriesOf, dispatcher, handOver, relaySoon, rowsOf } from "../support/outbox";

const EXPORT = "export:TEAM";

/** Another team's queue. */
class TeamQueue {
  readonly calls: unknown[][] = [];
  isRefusing = false;
  readonly binding = {
    sendBatch: async (messages: Iterable<{ body: unknown }>) => {
      if (this.isRefusing) throw new Error("Queue is overloaded");
      this.calls.push([...messages].map(({ body }) => body));
    },
  } as unknown as Queue;
}

function setUp(overrides: Parameters<typeof bench>[0] = {}) {
  const team = new TeamQueue();
  const on = bench({
    consumersOf: () => ["count", EXPORT],
    exports: new Map([[EXPORT, team.binding]]),
    attemptsMax: 3,
    ...overrides,
  });
  return { on, team };
}

test("an exported event is sent whole, to that queue alone, and is done when the queue has accepted it", async () => {
  const { on, team } = setUp();
  const id = await commitEvent(on);
  relaySoon(on, id);
  await on.scope.settled();
  expect(on.queue.deliveries).toEqual([`${id} count`]);
  expect(team.calls).toHaveLength(1);
  expect(() => new CloudEvent(team.calls[0]?.[0] as object, true)).not.toThrow();
  expect(await deliveriesOf(id)).toMatchObject([
    { consumer: "count", state: "pending" },
    { consumer: EXPORT, state: "done", attempts: 1 },
  ]);
});

test("the request that made an event sends it as the log shows it, without reading D1", async () => {
  const { on, team } = setUp();
  const id = await commitEvent(on, "thing.made", { name: "Zoë" });
  const before = { ...on.scope.calls };
  relaySoon(on, id);
  await on.scope.settled();
  // The one round trip records that the queue has accepted it.
  expect(on.scope.calls.d1RoundTrips - before.d1RoundTrips).toBe(1);
  const log = new EventLog(on.database, "https://meridian.example");
  const { data } = await log.list({ after: 0, limit: 10 }, "primary");
  expect(team.calls).toEqual(data.map((event) => [event]));
});

test("a team's queue that refuses for a while gets the event later, and keeps nobody else waiting", async () => {
  const { on, team } = setUp();
  team.isRefusing = true;
  const id = await commitEvent(on);
  relaySoon(on, id);
  await on.scope.settled();
  expect(on.queue.deliveries).toEqual([`${id} count`]);
  expect((await deliveriesOf(id))[1]).toMatchObject({ state: "pending", attempts: 1, last_error: "Error" });
  team.isRefusing = false;
  on.clock.advance(120);
  await on.outbox.sweep();
  expect((await deliveriesOf(id))[1]).toMatchObject({ state: "done", attempts: 2 });
  expect(team.calls).toHaveLength(1);
});

test("five hundred exports that a queue refuses, and then takes, cost a sweep fifty queries of the thousand that it may make", async () => {
  const { on, team } = setUp({ consumersOf: () => [EXPORT], attemptsMax: 2 });
  const insert =
    "insert into outbox_events select null, 'event-' || value, 'thing.made', 's', 's', 1, '{}', null, 1";
  const rows = "from json_each(?) where true";
  const ids = JSON.stringify(Array.from({ length: 500 }, (_, at) => at));
  await env.DB.batch([
    env.DB.prepare(`${insert} ${rows}`).bind(ids),
    env.DB.prepare(
      `insert into event_deliveries (event_id, consumer, state, attempts, not_before, due_at) select 'event-' || value, '${EXPORT}', 'pending', 0, 0, 0 ${rows}`,
    ).bind(ids),
  ]);
  const sweep = async () => {
    const before = on.scope.calls.d1Statements;
    await on.outbox.sweep();
    return on.scope.calls.d1Statements - before;
  };
  team.isRefusing = true;
  expect(await sweep()).toBeLessThan(50);
  expect(await rowsOf("select distinct state, attempts from event_deliveries")).toEqual([
    { state: "pending", attempts: 1 },
  ]);
  // Nobody has taken them yet.
  expect(await rowsOf("select distinct sent_at from event_deliveries")).toEqual([{ sent_at: null }]);
  on.clock.advance(3600);
  team.isRefusing = false;
  expect(await sweep()).toBeLessThan(50);
  expect(team.calls.flat()).toHaveLength(500);
  expect(await rowsOf("select distinct state, attempts from event_deliveries")).toEqual([
    { state: "done", attempts: 2 },
  ]);
});

test("other teams get their exports while our own queue refuses", async () => {
  const { on, team } = setUp();
  on.queue.isRefusing = true;
  const id = await commitEvent(on);
  on.clock.advance(60);
  expect(await on.outbox.sweep()).toEqual({ sent: 0, isComplete: false });
  expect(team.calls.flat()).toMatchObject([{ id }]);
  expect(await deliveriesOf(id)).toMatchObject([
    { consumer: "count", state: "pending" },
    { consumer: EXPORT, state: "done" },
  ]);
});

test("a team's queue that refuses for good leaves a dead letter, not a loss", async () => {
  const { on, team } = setUp();
  team.isRefusing = true;
  const id = await commitEvent(on);
  for (let tick = 0; tick < 5; tick += 1) {
    on.clock.advance(3600);
    await on.outbox.sweep();
  }
  expect((await deliveriesOf(id))[1]).toMatchObject({ state: "dead", attempts: 3 });
  expect(await rowsOf("select event_id, consumer, attempts from dead_letters")).toEqual([
    { event_id: id, consumer: EXPORT, attempts: 3 },
  ]);
});

test("an event too large for a queue's message reaches our own consumers; its export is a dead letter that says why", async () => {
  const { on, team } = setUp();
  const id = await commitEvent(on, "thing.made", { text: "x".repeat(200_000) });
  const small = await commitEvent(on);
  relaySoon(on, id, small);
  await on.scope.settled();
  let seen = 0;
  const handlers = dispatcher(on, {
    count: {
      kind: "transactional",
      prepare: (event) => {
        seen = JSON.stringify(event.data).length;
        return { statements: [] };
      },
    },
  });
  await handOver([{ eventId: id, consumer: "count" }], (batch) => handlers.dispatch(batch));
  expect(seen).toBeGreaterThan(200_000);
  expect(await deliveriesOf(id)).toMatchObject([
    { consumer: "count", state: "done" },
    { consumer: EXPORT, state: "dead", last_error: "AppError: event is larger than a queue message" },
  ]);
  expect(team.calls.flat()).toMatchObject([{ id: small }]);
});

test("many exports go in calls that a queue accepts: 100 messages and 256 KB at most", async () => {
  const { on, team } = setUp();
  const ids = Array.from({ length: 12 }, newId);
  const thing = {
    type: "thing.made",
    source: "/meridian/things",
    version: 1,
    data: { text: "x".repeat(60_000) },
  };
  const events = ids.flatMap((id) => on.outbox.record({ ...thing, id, subject: id }));
  on.outbox.relaySoon(await on.database.commit(events));
  await on.scope.settled();
  expect(team.calls.map((call) => call.length)).toEqual([4, 4, 4]);
  expect(team.calls.flat().map((event) => (event as { id: string }).id)).toEqual(ids);
});
