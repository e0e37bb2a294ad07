import { env } from "cloudflare:workers";
import { CloudEvent } from "cloudevents";
import { expect, test } from "vitest";
import { configOf } from "../../src/platform/env";
import { EventLog } from "../../src/platform/outbox";
import { wire } from "../../src/wiring";
import { createAccount, createAdmin } from "../support/accounts";
import { call } from "../support/client";
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

const TOKEN = { token: "events-token-for-tests" };
const ABSENT = "0192d0c0-0000-7000-8000-000000000000";

/** One dead letter of `mail`, dead at the clock's time. */
async function bury(on: Bench, type = "thing.made"): Promise<{ eventId: string; letterId: string }> {
  const eventId = await commitEvent(on, type);
  const handlers = dispatcher(on, {}, 1);
  const consumer = type === "thing.made" ? "mail" : "refresh";
  await handOver([{ eventId, consumer }], (batch) => handlers.dispatch(batch));
  const [letter] = await rowsOf<{ id: string }>("select id from dead_letters where event_id = ?", eventId);
  return { eventId, letterId: letter?.id ?? "" };
}

test("the log gives every event once, in order of commit, as a CloudEvent that the SDK accepts", async () => {
  const on = bench();
  const ids = [];
  for (let index = 0; index < 5; index += 1) ids.push(await commitEvent(on));
  const seen: string[] = [];
  let after = "0";
  for (let page = 0; page < 3; page += 1) {
    const { json } = await call(`/api/events?after=${after}&limit=2`, TOKEN);
    for (const event of json.data) {
      expect(() => new CloudEvent(event, true)).not.toThrow();
      seen.push(event.id);
    }
    expect(json.nextCursor === null).toBe(page === 2);
    after = json.data.at(-1).sequence;
  }
  expect(seen).toEqual(ids);
  expect((await call(`/api/events?after=${after}`, TOKEN)).json).toEqual({ data: [], nextCursor: null });
});

test("the log is filtered by type and by subject", async () => {
  const on = bench();
  const made = await commitEvent(on, "thing.made");
  const changed = await commitEvent(on, "thing.changed");
  const idsOf = async (query: string) =>
    (await call(`/api/events?${query}`, TOKEN)).json.data.map((event: { id: string }) => event.id);
  expect(await idsOf("type=thing.made")).toEqual([made]);
  expect(await idsOf(`subject=${changed}`)).toEqual([changed]);
  expect(await idsOf(`subject=${changed}&type=thing.made`)).toEqual([]);
});

test.each(["after=-1", "after=abc", "limit=0", "limit=101", "type=", "colour=red"])(
  "a log's query of %s is refused with a pointer to it",
  async (query) => {
    const { status, json } = await call(`/api/events?${query}`, TOKEN);
    expect({ status, code: json.code }).toEqual({ status: 400, code: "validation_failed" });
    expect(json.errors[0].pointer).toBe(`#/query/${query.split("=")[0]}`);
  },
);

test("the log is an administrator's or the events token's, and the token opens nothing else", async () => {
  const on = bench();
  const { letterId, eventId } = await bury(on);
  const [user, admin] = [await createAccount(), await createAdmin()];
  expect((await call("/api/events")).status).toBe(401);
  expect((await call("/api/events", { token: "events-token-for-testz" })).status).toBe(401);
  expect((await user.call("/api/events")).status).toBe(403);
  expect((await user.call(`/api/events/${eventId}`)).status).toBe(403);
  expect((await user.call("/api/events/dead-letters")).status).toBe(403);
  expect((await admin.call("/api/events")).status).toBe(200);
  expect((await call(`/api/events/${eventId}`, TOKEN)).status).toBe(200);
  expect((await call("/api/events", { ...TOKEN, method: "HEAD" })).status).toBe(200);
  expect((await call("/api/events/dead-letters", TOKEN)).status).toBe(401);
  expect((await call(`/api/events/dead-letters/${letterId}/replay`, { ...TOKEN, json: {} })).status).toBe(
    401,
  );
  expect((await call("/api/users", TOKEN)).status).toBe(401);
});

test("the ledger tells when an event was committed and sent, and what each consumer made of it", async () => {
  const on = bench();
  const { eventId } = await bury(on);
  relaySoon(on, eventId);
  await on.scope.settled();
  const { json } = await call(`/api/events/${eventId}`, TOKEN);
  const at = new Date(NOW).toISOString();
  expect(json).toMatchObject({ event: { id: eventId, data: { a: 1 } }, committedAt: at, sentAt: at });
  expect(json.deliveries).toEqual([
    { consumer: "count", state: "pending", attempts: 0, lastError: null, doneAt: null },
    { consumer: "mail", state: "dead", attempts: 1, lastError: "AppError: no such consumer", doneAt: null },
  ]);
  expect((await call(`/api/events/${ABSENT}`, TOKEN)).status).toBe(404);
  expect((await call("/api/events/nonsense", TOKEN)).status).toBe(400);
});

test("an event was sent when the first of its deliveries was", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const sentAt = async () => (await call(`/api/events/${id}`, TOKEN)).json.sentAt;
  expect(await sentAt()).toBeNull();
  const [first, second] = [NOW + 2, NOW + 3];
  await env.DB.prepare("update event_deliveries set sent_at = iif(consumer = 'mail', ?, ?)")
    .bind(first, second)
    .run();
  expect(await sentAt()).toBe(new Date(first).toISOString());
});

test("a dead letter is replayed once, with fresh attempts and an audit row; a second time is refused", async () => {
  const on = bench();
  const { letterId, eventId } = await bury(on);
  const admin = await createAdmin();
  const listed = await admin.call("/api/events/dead-letters");
  expect(listed.json).toEqual({
    data: [
      {
        id: letterId,
        eventId,
        type: "thing.made",
        consumer: "mail",
        attempts: 1,
        lastError: "AppError: no such consumer",
        state: "open",
        createdAt: new Date(NOW).toISOString(),
      },
    ],
    nextCursor: null,
  });
  const replay = () => admin.call(`/api/events/dead-letters/${letterId}/replay`, { method: "POST" });
  const answers = await Promise.all([replay(), replay(), replay()]);
  expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
  expect(answers.find(({ status }) => status === 202)?.json).toMatchObject({
    id: letterId,
    state: "replayed",
  });
  expect(answers.find(({ status }) => status === 409)?.json.code).toBe("invalid_transition");
  expect((await deliveriesOf(eventId))[1]).toMatchObject({ consumer: "mail", attempts: 0 });
  expect(
    await rowsOf("select actor, action, subject from audit_log where action like 'dead_letter.%'"),
  ).toEqual([
    { actor: `user:${admin.id}`, action: "dead_letter.replay", subject: `dead_letter:${letterId}` },
  ]);
  expect((await admin.call("/api/events/dead-letters")).json.data).toEqual([]);
  expect((await admin.call("/api/events/dead-letters?state=replayed")).json.data).toHaveLength(1);
  const absent = await admin.call(`/api/events/dead-letters/${ABSENT}/replay`, { method: "POST" });
  expect(absent.status).toBe(404);
});

test("a replayed delivery that fails again becomes a dead letter of its own", async () => {
  const on = bench();
  const { letterId, eventId } = await bury(on);
  const admin = await createAdmin();
  await admin.call(`/api/events/dead-letters/${letterId}/replay`, { method: "POST" });
  const handlers = dispatcher(on, {}, 1);
  await handOver([{ eventId, consumer: "mail" }], (batch) => handlers.dispatch(batch));
  const letters = await rowsOf<{ state: string }>("select state from dead_letters order by id");
  expect(letters.map(({ state }) => state).sort()).toEqual(["open", "replayed"]);
});

test("a dead letter is discarded with a reason, which is kept, and cannot be replayed then", async () => {
  const on = bench();
  const { letterId, eventId } = await bury(on);
  const admin = await createAdmin();
  const path = `/api/events/dead-letters/${letterId}`;
  expect((await admin.call(`${path}/discard`, { json: {} })).status).toBe(400);
  expect((await admin.call(`${path}/discard`, { json: { reason: " " } })).status).toBe(400);
  const discarded = await admin.call(`${path}/discard`, { json: { reason: "The account was a test." } });
  expect(discarded.json).toMatchObject({ id: letterId, state: "discarded" });
  expect((await admin.call(`${path}/replay`, { method: "POST" })).status).toBe(409);
  expect((await deliveriesOf(eventId))[1]).toMatchObject({ state: "dead" });
  expect(await rowsOf("select reason, resolved_by from dead_letters")).toEqual([
    { reason: "The account was a test.", resolved_by: `user:${admin.id}` },
  ]);
  expect(await rowsOf("select action, details from audit_log where action like 'dead_letter.%'")).toEqual([
    { action: "dead_letter.discard", details: '{"reason":"The account was a test."}' },
  ]);
});

test("dead letters are listed by type, consumer and time, page by page, and a foreign cursor is refused", async () => {
  const on = bench();
  const first = await bury(on);
  on.clock.advance(60);
  const second = await bury(on, "thing.changed");
  on.clock.advance(60);
  const third = await bury(on);
  const admin = await createAdmin();
  const idsOf = async (query: string) =>
    (await admin.call(`/api/events/dead-letters?${query}`)).json.data.map(
      (letter: { id: string }) => letter.id,
    );
  expect(await idsOf("type=thing.changed")).toEqual([second.letterId]);
  expect(await idsOf("consumer=mail")).toEqual([first.letterId, third.letterId]);
  expect(await idsOf("from=2026-11-22T10:00:30Z&to=2026-11-22T10:02:00Z")).toEqual([second.letterId]);
  const page = (await admin.call("/api/events/dead-letters?limit=2")).json;
  expect(page.data).toHaveLength(2);
  expect(await idsOf(`limit=2&cursor=${page.nextCursor}`)).toEqual([third.letterId]);
  const foreign = await admin.call(`/api/events/dead-letters?consumer=mail&cursor=${page.nextCursor}`);
  expect(foreign.status).toBe(400);
});

test("many are replayed by type, consumer or time, handed over at 50 a second, with one audit row", async () => {
  const on = bench();
  const eventIds: string[] = [];
  for (let index = 0; index < 120; index += 1) eventIds.push((await bury(on)).eventId);
  const other = await bury(on, "thing.changed");
  const admin = await createAdmin();
  for (const none of [
    { consumer: "count" },
    { from: new Date(NOW + 1).toISOString() },
    { to: new Date(NOW).toISOString() },
  ])
    expect((await admin.call("/api/events/replay", { json: none })).json.replayed).toBe(0);
  const during = { type: "thing.made", consumer: "mail", from: new Date(NOW).toISOString() };
  const answer = await admin.call("/api/events/replay", { json: during });
  expect({ status: answer.status, json: answer.json }).toEqual({
    status: 202,
    json: { replayed: 120, isComplete: true },
  });
  const revived = await rowsOf<{ wait: number }>(
    "select not_before - (select min(not_before) from event_deliveries where consumer = 'mail') as wait from event_deliveries where consumer = 'mail' order by wait",
  );
  expect(revived).toHaveLength(120);
  expect(revived.filter(({ wait }) => wait < 1000)).toHaveLength(50);
  expect(revived.at(-1)?.wait).toBe(2380);
  expect((await deliveriesOf(other.eventId))[0]).toMatchObject({ state: "dead" });
  expect(await rowsOf("select action from audit_log where action like 'dead_letter.%'")).toEqual([
    { action: "dead_letter.replay_many" },
  ]);
  expect((await admin.call("/api/events/replay", { json: {} })).json).toEqual({
    replayed: 1,
    isComplete: true,
  });
});

test("of many replays of the same letters at once each letter is taken by one, and all are answered", async () => {
  const on = bench();
  for (let index = 0; index < 8; index += 1) await bury(on);
  const admin = await createAdmin();
  const answers = await Promise.all(
    [1, 2, 3].map(() => admin.call("/api/events/replay", { json: { type: "thing.made" } })),
  );
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  expect(answers.map(({ json }) => json.replayed).sort()).toEqual([0, 0, 8]);
  expect(await rowsOf("select action from audit_log where action like 'dead_letter.%'")).toHaveLength(1);
});

test("what is settled is kept for the retention, and what is not settled for ever", async () => {
  const on = bench();
  const [settled, pending, letter] = [await commitEvent(on), await commitEvent(on), await bury(on)];
  on.clock.advance(1);
  const young = await commitEvent(on);
  await env.DB.prepare("update event_deliveries set state = 'done' where event_id != ? and state = 'pending'")
    .bind(pending)
    .run();
  const log = new EventLog(on.database, "https://meridian.example");
  expect(await log.deleteSettled(NOW, 200)).toBe(0);
  expect(await log.deleteSettled(NOW + 1, 200)).toBe(1);
  const left = await rowsOf<{ id: string }>("select id from outbox_events order by sequence");
  expect(left.map(({ id }) => id)).toEqual([pending, letter.eventId, young]);
  expect(await deliveriesOf(settled)).toEqual([]);
  await env.DB.prepare("update dead_letters set state = 'discarded'").run();
  expect(await log.deleteSettled(NOW + 1, 200)).toBe(1);
  expect(await rowsOf("select * from dead_letters")).toEqual([]);
});

test("the clean-up of one tick keeps up with a day of many events and deliveries: thousands go at once", async () => {
  const on = bench();
  const numbers = JSON.stringify(Array.from({ length: 1_100 }, (_, at) => at));
  await env.DB.batch([
    env.DB.prepare(
      "insert into outbox_events select null, 'event-' || value, 'thing.made', 's', 's', 1, '{}', null, 1 from json_each(?)",
    ).bind(numbers),
    env.DB.prepare(
      "insert into webhook_attempts (endpoint_id, event_id, type, attempt, duration_ms, at) select 'e', 'event-' || value, 't', 1, 1, 1 from json_each(?)",
    ).bind(numbers),
  ]);
  const recent = await commitEvent(on);
  const { events, webhooks } = wire(env, configOf(env), on.scope);
  expect([await events.expire(30), await webhooks.expire(30)]).toEqual([1_100, 1_100]);
  expect(await rowsOf("select id from outbox_events")).toEqual([{ id: recent }]);
});
