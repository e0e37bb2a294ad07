import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { Database } from "../../src/platform/database";
import type { Consumer } from "../../src/platform/outbox";
import { type Bench, bench, commitEvent, deliveriesOf, dispatcher, handOver } from "../support/outbox";

/** The bench on a D1 that is away for the batches named by their number, from 1. */
function flaky(on: Bench, away: readonly number[]): Bench {
  let batches = 0;
  const withSession = (constraint?: string): D1DatabaseSession => {
    const session = env.DB.withSession(constraint);
    return {
      prepare: (query) => session.prepare(query),
      getBookmark: () => session.getBookmark(),
      batch: async (statements) => {
        batches += 1;
        if (away.includes(batches)) throw new Error("D1_ERROR: D1 is away");
        return await session.batch(statements);
      },
    };
  };
  const d1 = { prepare: (query: string) => env.DB.prepare(query), withSession } as unknown as D1Database;
  return { ...on, database: new Database(d1, on.scope.calls) };
}

function counted() {
  const mail = { acts: 0 };
  const consumer: Consumer = {
    kind: "external",
    act: async () => {
      mail.acts += 1;
    },
  };
  return { mail, consumer };
}

test("while D1 cannot be read, messages come back later, and no attempt is counted", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const { mail, consumer } = counted();
  const handlers = dispatcher(flaky(on, [1]), { mail: consumer });
  const bodies = [
    { eventId: id, consumer: "mail" },
    { eventId: id, consumer: "count" },
  ];
  expect(await handOver(bodies, (batch) => handlers.dispatch(batch))).toEqual({
    acked: 0,
    retried: [10, 10],
  });
  expect(await deliveriesOf(id)).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
  await handOver(bodies.slice(0, 1), (batch) => handlers.dispatch(batch));
  expect(mail.acts).toBe(1);
});

test("an act is not begun while its claim cannot be written", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const { mail, consumer } = counted();
  const handlers = dispatcher(flaky(on, [2]), { mail: consumer });
  const outcome = await handOver([{ eventId: id, consumer: "mail" }], (batch) => handlers.dispatch(batch));
  expect({ outcome, acts: mail.acts }).toEqual({ outcome: { acked: 0, retried: [10] }, acts: 0 });
});

test("an act whose record fails once is recorded at the second try, and not repeated", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const { mail, consumer } = counted();
  const handlers = dispatcher(flaky(on, [3]), { mail: consumer });
  const body = { eventId: id, consumer: "mail" };
  for (let delivery = 0; delivery < 3; delivery += 1)
    await handOver([body], (batch) => handlers.dispatch(batch));
  expect(mail.acts).toBe(1);
  expect((await deliveriesOf(id))[1]).toMatchObject({ state: "done", attempts: 1 });
});

test("an act whose record cannot be written is not a failed act: it is repeated only when its claim has lapsed", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const { mail, consumer } = counted();
  const handlers = dispatcher(flaky(on, [3, 4]), { mail: consumer });
  const body = { eventId: id, consumer: "mail" };
  expect(await handOver([body], (batch) => handlers.dispatch(batch))).toEqual({ acked: 1, retried: [] });
  await handOver([body], (batch) => handlers.dispatch(batch));
  expect(mail.acts).toBe(1);
  expect((await deliveriesOf(id))[1]).toMatchObject({ state: "pending", attempts: 1, last_error: null });
  on.clock.advance(60);
  await on.outbox.sweep();
  expect(on.queue.deliveries).toContain(`${id} mail`);
  await handOver([body], (batch) => handlers.dispatch(batch));
  expect((await deliveriesOf(id))[1]).toMatchObject({ state: "done", attempts: 2 });
});

test("a failure that cannot be counted brings the message back, and is counted then", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const broken: Consumer = {
    kind: "transactional",
    prepare: () => {
      throw new Error("always");
    },
  };
  const handlers = dispatcher(flaky(on, [2]), { count: broken });
  const body = { eventId: id, consumer: "count" };
  expect((await handOver([body], (batch) => handlers.dispatch(batch))).retried).toEqual([10]);
  expect((await deliveriesOf(id))[0]).toMatchObject({ attempts: 0 });
  await handOver([body], (batch) => handlers.dispatch(batch));
  expect((await deliveriesOf(id))[0]).toMatchObject({ attempts: 1 });
});
