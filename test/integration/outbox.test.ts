import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { dailySignups } from "../../drizzle/schema/operations";
import { eventDeliveries, eventSubscriptions } from "../../drizzle/schema/outbox";
import { newId } from "../../src/platform/clock";
import type { Consumer } from "../../src/platform/outbox";
import {
  type Bench,
  bench,
  commitEvent,
  deliveriesOf,
  dispatcher,
  handOver,
  NOW,
  relaySoon,
  rowsOf,
} from "../support/outbox";

test("an event is committed with one pending delivery for each registered consumer and each subscription", async () => {
  const on = bench();
  await on.database.commit([
    on.database.build.insert(eventSubscriptions).values([
      { type: "*", consumer: "webhook:all" },
      { type: "thing.made", consumer: "webhook:made" },
      { type: "thing.lost", consumer: "webhook:lost" },
    ]),
  ]);
  const id = await commitEvent(on, "thing.made", { name: 'Zoë\'s "thing"' });
  const rows = await deliveriesOf(id);
  expect(rows.map(({ consumer, state, attempts }) => [consumer, state, attempts])).toEqual([
    ["count", "pending", 0],
    ["mail", "pending", 0],
    ["webhook:all", "pending", 0],
    ["webhook:made", "pending", 0],
  ]);
  expect(new Set(rows.map(({ sent_at }) => sent_at))).toEqual(new Set([null]));
  const [event] = await rowsOf<{ data: string }>("select * from outbox_events where id = ?", id);
  expect(event).toMatchObject({ data: '{"name":"Zoë\'s \\"thing\\""}', committed_at: NOW });
});

test("where the guard does not hold, neither the event nor a delivery is written", async () => {
  const on = bench();
  const id = newId();
  await on.database.commit(
    on.outbox.record({
      id,
      type: "thing.made",
      source: "/meridian/things",
      subject: id,
      version: 1,
      data: {},
      guard: sql`exists (select 1 from users where last_change_id = ${id})`,
    }),
  );
  expect(await rowsOf("select * from outbox_events")).toEqual([]);
  expect(await rowsOf("select * from event_deliveries")).toEqual([]);
});

test("an event's data may be computed by the database out of the rows just written", async () => {
  const on = bench();
  const id = newId();
  const data = sql<string>`json_object('day', (select day from daily_signups limit 1), 'n', cast(${2} as integer))`;
  const event = { id, type: "thing.made", source: "/meridian/things", subject: id, version: 1, data };
  const [first, second] = on.outbox.record(event);
  await on.database.commit([
    on.database.build.insert(dailySignups).values({ day: "2026-11-22", count: 1 }),
    first,
    second,
  ]);
  expect(await rowsOf("select data from outbox_events")).toEqual([{ data: '{"day":"2026-11-22","n":2}' }]);
});

test("after the response each delivery is sent as a message of its own, in the order of the log", async () => {
  const on = bench();
  const [first, second] = [newId(), newId()];
  const thing = { type: "thing.made", source: "/meridian/things", version: 1, data: {} };
  const events = [first, second].flatMap((id) => on.outbox.record({ ...thing, id, subject: id }));
  on.outbox.relaySoon(await on.database.commit(events));
  await on.scope.settled();
  expect(on.queue.deliveries).toEqual([
    `${first} count`,
    `${first} mail`,
    `${second} count`,
    `${second} mail`,
  ]);
});

test("what the change's batch has told is sent without another call to D1, and once", async () => {
  const on = bench();
  const id = await commitSubscribed(on);
  const before = { ...on.scope.calls };
  relaySoon(on, id);
  await on.scope.settled();
  expect(on.queue.deliveries).toEqual([`${id} count`, `${id} mail`]);
  expect(on.webhooks.deliveries).toEqual([`${id} webhook:all`]);
  expect(on.scope.calls.d1RoundTrips).toBe(before.d1RoundTrips);
});

test("of a commit only its own events are sent, and none whose guard did not hold", async () => {
  const on = bench();
  const thing = { type: "thing.made", source: "/meridian/things", version: 1, data: {} };
  const [sent, guarded, other] = [newId(), newId(), newId()];
  const never = { guard: sql`false` };
  const events = [
    ...on.outbox.record({ ...thing, id: sent, subject: sent }),
    ...on.outbox.record({ ...thing, ...never, id: guarded, subject: guarded }),
  ];
  await on.database.commit(on.outbox.record({ ...thing, id: other, subject: other }));
  on.outbox.relaySoon(await on.database.commit(events));
  await on.scope.settled();
  expect(on.queue.deliveries).toEqual([`${sent} count`, `${sent} mail`]);
});

test("an event whose batch was rolled back sends nothing", async () => {
  const on = bench();
  const id = newId();
  const broken = on.database.build.insert(dailySignups).values([{ day: "same", count: 1 }]);
  const event = { id, type: "thing.made", source: "/meridian/things", subject: id, version: 1, data: {} };
  const commit = on.database.commit([...on.outbox.record(event), broken, broken]);
  await expect(commit).rejects.toThrow();
  on.outbox.relaySoon(await on.database.commit([on.database.build.delete(dailySignups)]));
  await on.scope.settled();
  expect(on.queue.deliveries).toEqual([]);
});

test("a batch that is repeated, because its answer was lost, leaves one event with one delivery each", async () => {
  const on = bench();
  const id = newId();
  const event = { id, type: "thing.made", source: "/meridian/things", subject: id, version: 1, data: {} };
  const batch = on.outbox.record(event);
  for (let times = 0; times < 2; times += 1) await on.database.commit(batch);
  expect(await rowsOf("select id from outbox_events")).toEqual([{ id }]);
  expect((await deliveriesOf(id)).map(({ consumer }) => consumer)).toEqual(["count", "mail"]);
});

test("the first message of a delivery that arrives tells when it was sent, and no later one", async () => {
  const on = bench();
  const id = await commitEvent(on);
  relaySoon(on, id);
  await on.scope.settled();
  const sentAt = async () => (await deliveriesOf(id)).map(({ sent_at }) => sent_at);
  expect(await sentAt()).toEqual([null, null]);
  const acting: Consumer = { kind: "external", act: async () => undefined };
  const dispatch = async (consumer: string) =>
    await handOver([{ eventId: id, consumer }], (batch) =>
      dispatcher(on, { mail: acting, count: acting }).dispatch(batch),
    );
  on.clock.advance(5);
  await dispatch("mail");
  expect(await sentAt()).toEqual([null, NOW]);
  await env.DB.prepare("update event_deliveries set sent_at = 7").run();
  await dispatch("count");
  expect(await sentAt()).toEqual([7, 7]);
});

async function commitSubscribed(on: Bench): Promise<string> {
  await on.database.commit([
    on.database.build.insert(eventSubscriptions).values([{ type: "*", consumer: "webhook:all" }]),
  ]);
  return await commitEvent(on);
}

test("deliveries to webhooks have a queue of their own, so that none of ours waits behind an endpoint that hangs", async () => {
  const on = bench();
  const id = await commitSubscribed(on);
  relaySoon(on, id);
  await on.scope.settled();
  expect(on.queue.deliveries).toEqual([`${id} count`, `${id} mail`]);
  expect(on.webhooks.deliveries).toEqual([`${id} webhook:all`]);
});

test.each(["queue", "webhooks"] as const)(
  "a refusal of one queue (%s) keeps nothing from the other, and is made good by the sweep",
  async (refusing) => {
    const on = bench();
    on[refusing].isRefusing = true;
    const id = await commitSubscribed(on);
    relaySoon(on, id);
    await on.scope.settled();
    const all = { queue: [`${id} count`, `${id} mail`], webhooks: [`${id} webhook:all`] };
    const other = refusing === "queue" ? "webhooks" : "queue";
    expect(on[other].deliveries).toEqual(all[other]);
    expect(on[refusing].deliveries).toEqual([]);
    on[refusing].isRefusing = false;
    on.clock.advance(61);
    expect(await on.outbox.sweep()).toMatchObject({ isComplete: true });
    expect(on[refusing].deliveries).toEqual(all[refusing]);
  },
);

test("a consumer's delay is given to the queue, and to nothing else", async () => {
  const on = bench();
  const changed = await commitEvent(on, "thing.changed");
  relaySoon(on, changed);
  await on.scope.settled();
  expect(on.queue.sent).toEqual([{ body: { eventId: changed, consumer: "refresh" }, delaySeconds: 30 }]);
  const [row] = await deliveriesOf(changed);
  expect(row?.due_at).toBe(NOW + 90_000);
  on.clock.advance(90);
  await on.outbox.sweep();
  expect(on.queue.sent[1]?.delaySeconds).toBe(0);
});

test("an event whose Worker died before the send is sent by the sweep once the resend time is over", async () => {
  const on = bench();
  const id = await commitEvent(on);
  on.clock.advance(59);
  expect(await on.outbox.sweep()).toEqual({ sent: 0, isComplete: true });
  on.clock.advance(1);
  expect(await on.outbox.sweep()).toEqual({ sent: 2, isComplete: true });
  expect(on.queue.deliveries).toEqual([`${id} count`, `${id} mail`]);
});

test("a message that the queue swallowed is sent again, until its delivery is settled", async () => {
  const on = bench();
  const id = await commitEvent(on);
  relaySoon(on, id);
  await on.scope.settled();
  on.clock.advance(61);
  await on.outbox.sweep();
  expect(on.queue.sent).toHaveLength(4);
  await on.database.commit([on.database.build.update(eventDeliveries).set({ state: "done" })]);
  on.clock.advance(61);
  await on.outbox.sweep();
  expect(on.queue.sent).toHaveLength(4);
});

test("sweeps at the same moment never send one delivery twice", async () => {
  const on = bench();
  for (let index = 0; index < 130; index += 1) await commitEvent(on);
  on.clock.advance(60);
  await Promise.all(Array.from({ length: 8 }, () => on.outbox.sweep()));
  expect(on.queue.sent).toHaveLength(260);
  expect(new Set(on.queue.deliveries).size).toBe(260);
});

test("a queue that refuses costs nothing but time: the next tick sends everything", async () => {
  const on = bench();
  const id = await commitEvent(on);
  on.queue.isRefusing = true;
  relaySoon(on, id);
  await on.scope.settled();
  expect(on.scope.lines.map(({ event }) => event)).toEqual(["outbox.relay_failed"]);
  on.clock.advance(60);
  expect(await on.outbox.sweep()).toEqual({ sent: 0, isComplete: false });
  const sentAt = async () => (await deliveriesOf(id)).map(({ sent_at }) => sent_at);
  expect(await sentAt()).toEqual([null, null]);
  on.queue.isRefusing = false;
  expect(await on.outbox.sweep()).toEqual({ sent: 2, isComplete: true });
  expect(await sentAt()).toEqual([on.clock.now, on.clock.now]);
});
