/** What migrations that rebuild a table must leave as it was: every row, and what a version from before goes by. */
import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { rowsOf } from "../support/outbox";

/** The first that is applied to what the tests have put in. */
const FIRST = "0009_";
const isLater = ({ name }: { readonly name: string }) => name >= FIRST;

const migrate = (which: "before" | "after") =>
  applyD1Migrations(
    env.DB,
    env.TEST_MIGRATIONS.filter((migration) => isLater(migration) === (which === "after")),
  );

beforeEach(async () => {
  await reset();
  await migrate("before");
});

const ROWS = [
  `insert into outbox_events values (3, 'e3', 'thing.made', 's', 'a', 1, '{"n":1}', null, 30, null),
     (7, 'e7', 'thing.made', 's', 'b', 2, '{}', '00-trace', 70, 71)`,
  `insert into event_deliveries (event_id, consumer, state, attempts, last_error, due_at, done_at, claim_token, claimed_until, not_before, relay_token)
     values ('e3', 'mail', 'pending', 2, 'AppError', 5, null, 'claim', 6, 4, 'relay'),
     ('e3', 'count', 'done', 1, null, 5, 8, null, null, 0, null), ('e7', 'mail', 'dead', 8, 'x', 5, null, null, null, 0, null)`,
  `insert into audit_log values (2, 20, 'user:a', 'user.update', 'user:b', '{}', 'r2'), (5, 50, 'system:x', 'x.y', 'z:1', '{"a":1}', 'r5')`,
];
const TABLES = ["outbox_events", "event_deliveries", "audit_log"];

async function contents(): Promise<unknown> {
  return Promise.all(TABLES.map((table) => rowsOf(`select * from ${table} order by 1, 2`)));
}

async function fill(): Promise<void> {
  await env.DB.batch(ROWS.map((statement) => env.DB.prepare(statement)));
}

test("a rebuilt table keeps every row", async () => {
  await fill();
  const before = await contents();
  await migrate("after");
  expect(await contents()).toMatchObject(before as object);
});

test("a sweep of a version from before, which goes by rowid, takes what is due", async () => {
  await fill();
  await migrate("after");
  await env.DB.prepare(
    `update event_deliveries set relay_token = 'old' where rowid in (
       select rowid from event_deliveries where state = 'pending' and due_at <= 5 order by due_at limit 100)`,
  ).run();
  expect(await rowsOf("select event_id, consumer from event_deliveries where relay_token = 'old'")).toEqual([
    { event_id: "e3", consumer: "mail" },
  ]);
});

test("a state that is none is refused by the constraint that settling goes by", async () => {
  await migrate("after");
  await expect(
    env.DB.prepare(
      "insert into event_deliveries (event_id, consumer, state, attempts, due_at) values ('e', 'c', 'x', 0, 0)",
    ).run(),
  ).rejects.toThrow("event_deliveries_state_known");
});
