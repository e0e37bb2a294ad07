import { expect, test } from "vitest";
import { dailySignups } from "../../drizzle/schema/operations";
import { AppError } from "../../src/kernel/errors";
import type { Consumer } from "../../src/platform/outbox";
import {
  type Bench,
  bench,
  commitEvent,
  deliveriesOf,
  dispatcher,
  handOver,
  rowsOf,
} from "../support/outbox";

/** Adds a row for each time its effect happens. */
function counting(on: Bench): Consumer {
  let run = 0;
  return {
    kind: "transactional",
    prepare: () => {
      run += 1;
      return {
        statements: [on.database.build.insert(dailySignups).values({ day: `run ${run}`, count: 1 })],
      };
    },
  };
}

function failing(error: unknown, { isRepeatable } = { isRepeatable: false }): Consumer {
  return {
    kind: "external",
    isRepeatable,
    act: async () => {
      throw error;
    },
  };
}

/** A repeatable consumer, and how often it has acted. */
function repeating() {
  const seen = { acts: 0 };
  const consumer: Consumer = {
    kind: "external",
    isRepeatable: true,
    act: async (_, { attempt }) => {
      expect(attempt).toBe(1);
      seen.acts += 1;
    },
  };
  return { consumer, seen };
}

test("a hundred duplicates at once have one effect in D1 and count as one attempt", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const body = { eventId: id, consumer: "count" };
  const handlers = dispatcher(on, { count: counting(on) });
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, () => handOver(Array(10).fill(body), (batch) => handlers.dispatch(batch))),
  );
  expect(outcomes.reduce((sum, { acked }) => sum + acked, 0)).toBe(100);
  expect(await rowsOf("select * from daily_signups")).toHaveLength(1);
  expect(await deliveriesOf(id)).toMatchObject([
    { consumer: "count", state: "done", attempts: 1 },
    { consumer: "mail", state: "pending", attempts: 0 },
  ]);
});

test("a hundred duplicates at once act outside D1 once", async () => {
  const on = bench();
  const id = await commitEvent(on);
  let acts = 0;
  const mail: Consumer = {
    kind: "external",
    act: async (event, { attempt }) => {
      expect(event).toMatchObject({ specversion: "1.0", id, type: "thing.made", data: { a: 1 } });
      expect(attempt).toBe(1);
      acts += 1;
      await Promise.resolve();
    },
  };
  const handlers = dispatcher(on, { mail });
  const { acked } = await handOver(Array(100).fill({ eventId: id, consumer: "mail" }), (batch) =>
    handlers.dispatch(batch),
  );
  expect({ acked, acts }).toEqual({ acked: 100, acts: 1 });
  expect((await deliveriesOf(id))[1]).toMatchObject({ consumer: "mail", state: "done", attempts: 1 });
});

test("a repeatable consumer is not claimed: one round trip after the read, and its duplicates are settled once", async () => {
  const on = bench();
  const body = { eventId: await commitEvent(on), consumer: "mail" };
  const { consumer, seen } = repeating();
  const handlers = dispatcher(on, { mail: consumer });
  const before = on.scope.calls.d1RoundTrips;
  await handOver([body], (batch) => handlers.dispatch(batch));
  expect(on.scope.calls.d1RoundTrips - before).toBe(2);
  const late = await handOver([body, body], (batch) => handlers.dispatch(batch));
  expect(late).toEqual({ acked: 2, retried: [] });
  expect(seen.acts).toBe(1);
  expect((await deliveriesOf(body.eventId))[1]).toMatchObject({ state: "done", attempts: 1 });
});

test("a repeatable consumer's duplicates at once act twice, and end as one delivery", async () => {
  const on = bench();
  const body = { eventId: await commitEvent(on), consumer: "mail" };
  const { consumer, seen } = repeating();
  const handlers = dispatcher(on, { mail: consumer });
  const { acked } = await handOver([body, body], (batch) => handlers.dispatch(batch));
  expect({ ...seen, acked }).toEqual({ acts: 2, acked: 2 });
  expect((await deliveriesOf(body.eventId))[1]).toMatchObject({ state: "done", attempts: 1 });
});

test("a repeatable consumer that fails is counted, retried and given up like any other", async () => {
  const on = bench();
  const body = { eventId: await commitEvent(on), consumer: "mail" };
  const handlers = dispatcher(on, { mail: failing(new Error("always"), { isRepeatable: true }) });
  for (let attempt = 0; attempt < 3; attempt += 1)
    await handOver([body], (batch) => handlers.dispatch(batch));
  expect((await deliveriesOf(body.eventId))[1]).toMatchObject({ state: "dead", attempts: 3 });
});

test("a consumer that always throws is retried with growing delays, then becomes one dead letter", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const handlers = dispatcher(on, { mail: failing(new Error("secret@example.com refused")) });
  const outcomes = [];
  for (let attempt = 0; attempt < 4; attempt += 1) {
    outcomes.push(
      await handOver(Array(5).fill({ eventId: id, consumer: "mail" }), (batch) => handlers.dispatch(batch)),
    );
  }
  const delays = outcomes.flatMap(({ retried }) => retried);
  expect(delays).toHaveLength(2);
  expect(delays[0]).toBeGreaterThanOrEqual(5);
  expect(delays[0]).toBeLessThanOrEqual(10);
  expect(delays[1]).toBeGreaterThanOrEqual(10);
  expect(delays[1]).toBeLessThanOrEqual(20);
  expect((await deliveriesOf(id))[1]).toMatchObject({ state: "dead", attempts: 3, last_error: "Error" });
  expect(
    await rowsOf("select event_id, type, consumer, attempts, last_error, state from dead_letters"),
  ).toEqual([
    { event_id: id, type: "thing.made", consumer: "mail", attempts: 3, last_error: "Error", state: "open" },
  ]);
});

test("duplicates that fail together count as one attempt", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const broken: Consumer = {
    kind: "transactional",
    prepare: () => {
      throw new Error("always");
    },
  };
  const handlers = dispatcher(on, { count: broken });
  await handOver(Array(20).fill({ eventId: id, consumer: "count" }), (batch) => handlers.dispatch(batch));
  expect((await deliveriesOf(id))[0]).toMatchObject({ state: "pending", attempts: 1 });
});

test("an attempt that fails late does not take back the attempts that were counted meanwhile", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const body = { eventId: id, consumer: "count" };
  let fail = (): void => undefined;
  const isSlow = new Promise<void>((resolve) => {
    fail = resolve;
  });
  let hasBegun = false;
  const slow: Consumer = {
    kind: "transactional",
    prepare: async () => {
      hasBegun = true;
      await isSlow;
      throw new Error("late");
    },
  };
  const late = handOver([body], (batch) => dispatcher(on, { count: slow }, 9).dispatch(batch));
  await expect.poll(() => hasBegun).toBe(true);
  const broken: Consumer = {
    kind: "transactional",
    prepare: () => {
      throw new Error("at once");
    },
  };
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await handOver([body], (batch) => dispatcher(on, { count: broken }, 9).dispatch(batch));
  }
  fail();
  await late;
  expect((await deliveriesOf(id))[0]).toMatchObject({ state: "pending", attempts: 2 });
});

test("a statement of the effect that fails leaves the delivery pending and nothing half done", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const insert = () => on.database.build.insert(dailySignups).values({ day: "same", count: 1 });
  const twice: Consumer = { kind: "transactional", prepare: () => ({ statements: [insert(), insert()] }) };
  const { retried } = await handOver([{ eventId: id, consumer: "count" }], (batch) =>
    dispatcher(on, { count: twice }).dispatch(batch),
  );
  expect(retried).toHaveLength(1);
  expect(await rowsOf("select * from daily_signups")).toEqual([]);
  expect((await deliveriesOf(id))[0]).toMatchObject({ state: "pending", attempts: 1 });
});

test("a failure that no repetition cures is dead at once", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const handlers = dispatcher(on, { mail: failing(new AppError("internal", "mail refused: E_X")) });
  const { acked } = await handOver([{ eventId: id, consumer: "mail" }], (batch) => handlers.dispatch(batch));
  expect(acked).toBe(1);
  expect((await deliveriesOf(id))[1]).toMatchObject({
    state: "dead",
    attempts: 1,
    last_error: "AppError: mail refused: E_X",
  });
});

test("a Worker that dies between acting and recording leads to a second act, after its claim has lapsed", async () => {
  const on = bench();
  const id = await commitEvent(on);
  let acts = 0;
  let release = (): void => undefined;
  const died = new Promise<void>((resolve) => {
    release = resolve;
  });
  const body = { eventId: id, consumer: "mail" };
  const dying = dispatcher(on, {
    mail: {
      kind: "external",
      act: async () => {
        acts += 1;
        await died;
        // Until here it held the row; what follows is the record that a dead Worker never writes.
        throw new Error("stands for the death");
      },
    },
  });
  const dead = handOver([body], (batch) => dying.dispatch(batch));
  await expect.poll(() => acts).toBe(1);
  const living = dispatcher(on, {
    mail: {
      kind: "external",
      act: async () => {
        acts += 1;
      },
    },
  });
  await handOver([body], (batch) => living.dispatch(batch));
  expect(acts).toBe(1);
  on.clock.advance(31);
  await handOver([body], (batch) => living.dispatch(batch));
  expect(acts).toBe(2);
  release();
  await dead;
  expect((await deliveriesOf(id))[1]).toMatchObject({ state: "done", attempts: 2 });
});

test("the sweep passes by what a consumer holds, and sends it again when the claim has lapsed", async () => {
  const on = bench();
  const id = await commitEvent(on);
  on.clock.advance(60);
  let isHeld = false;
  let release = (): void => undefined;
  const acting = dispatcher(on, {
    mail: {
      kind: "external",
      act: () => {
        isHeld = true;
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    },
  });
  const holding = handOver([{ eventId: id, consumer: "mail" }], (batch) => acting.dispatch(batch));
  await expect.poll(() => isHeld).toBe(true);
  await on.outbox.sweep();
  expect(on.queue.deliveries).toEqual([`${id} count`]);
  on.clock.advance(30);
  await on.outbox.sweep();
  expect(on.queue.deliveries).toEqual([`${id} count`, `${id} mail`]);
  release();
  await holding;
});

test("a failing delivery is left to the queue's retry, and to the sweep should that forget it", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const handlers = dispatcher(on, { mail: failing(new Error("no")), count: counting(on) });
  const bodies = [
    { eventId: id, consumer: "mail" },
    { eventId: id, consumer: "count" },
  ];
  const { retried, acked } = await handOver(bodies, (batch) => handlers.dispatch(batch));
  expect(acked).toBe(1);
  on.clock.advance(60);
  expect((await on.outbox.sweep()).sent).toBe(0);
  on.clock.advance(retried[0] ?? 0);
  expect((await on.outbox.sweep()).sent).toBe(1);
});

test("a consumer that this version does not know is tried again and then kept as a dead letter", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const handlers = dispatcher(on, {}, 1);
  await handOver([{ eventId: id, consumer: "mail" }], (batch) => handlers.dispatch(batch));
  expect(await rowsOf("select last_error from dead_letters")).toEqual([
    { last_error: "AppError: no such consumer" },
  ]);
});

test("a message that is not ours, or whose delivery does not exist, is acknowledged and changes nothing", async () => {
  const on = bench();
  const { acked } = await handOver(
    ["junk", null, { eventId: 1 }, { eventId: "x", consumer: "mail" }],
    (batch) => dispatcher(on, {}).dispatch(batch),
  );
  expect(acked).toBe(4);
});

test("what the queue gave up is given up by the consumer's own policy, not by the common one", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const patient: Consumer = {
    ...failing(new Error("never called")),
    retry: { attemptsMax: 21, backoffSeconds: 5, backoffMaxSeconds: 60 },
  };
  const handlers = dispatcher(on, { mail: patient }, 1);
  await handOver([{ eventId: id, consumer: "mail" }], (batch) => handlers.takeBack(batch));
  expect((await deliveriesOf(id))[1]).toMatchObject({ state: "pending", attempts: 1 });
});

test("what the queue gave up counts as an attempt and comes back by the sweep", async () => {
  const on = bench();
  const id = await commitEvent(on);
  const { acked } = await handOver([{ eventId: id, consumer: "mail" }], (batch) =>
    dispatcher(on, {}).takeBack(batch),
  );
  expect(acked).toBe(1);
  expect((await deliveriesOf(id))[1]).toMatchObject({
    state: "pending",
    attempts: 1,
    last_error: "AppError: the queue gave the message up",
  });
  on.clock.advance(120);
  await on.outbox.sweep();
  expect(on.queue.deliveries).toContain(`${id} mail`);
});
