import { expect, test } from "vitest";
import { FAIL_OPEN_ALLOWANCE } from "../../src/platform/limiter/budget-answer";
import type { LimiterObject } from "../../src/platform/limiter/limiter";
import { SILENCE_MS } from "../../src/platform/limiter/silence";
import { DEFAULT_POLICY, newIsolate, realObject } from "../support/limiter";

const policy = DEFAULT_POLICY;
const clientKey = "user:1";

/** Calls that real objects have yet to answer. */
let inFlight = 0;

/** A real object, whose answers the simulated time waits for. */
function promptObject(name: string): LimiterObject {
  const tracked = async <T>(work: Promise<T>): Promise<T> => {
    inFlight += 1;
    return await work.finally(() => {
      inFlight -= 1;
    });
  };
  const object = realObject(name);
  return {
    ask: (ask, quota) => tracked(object.ask(ask, quota)),
    revoke: (added) => tracked(object.revoke(added)),
  };
}

/** A clock that only sleeping moves. */
function sleepingClock() {
  const clock = { now: 1_700_000_040_000 };
  const sleepers: { at: number; wake: () => void }[] = [];
  const sleep = (ms: number) =>
    new Promise<void>((wake) => {
      sleepers.push({ at: clock.now + ms, wake });
    });
  /** Lets everything run that can, then moves to the next timer. */
  const step = async () => {
    await settle();
    sleepers.sort((a, b) => a.at - b.at);
    const next = sleepers.shift();
    if (next === undefined) return false;
    clock.now = Math.max(clock.now, next.at);
    next.wake();
    await settle();
    return true;
  };
  return { clock, read: () => clock.now, sleep, step };
}

async function settle(): Promise<void> {
  while (inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 0));
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

const never = () => new Promise<never>(() => undefined);
const silentObject: LimiterObject = { ask: never, revoke: never };

async function runUntil<T>(work: Promise<T>, step: () => Promise<boolean>): Promise<T> {
  let isDone = false;
  const watched = work.finally(() => {
    isDone = true;
  });
  for (let steps = 0; steps < 10_000 && !isDone; steps += 1) {
    if (!(await step())) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return await watched;
}

test("all who share an ask wait together, 3 s, and then share the allowance of the isolate", async () => {
  const { clock, read, sleep, step } = sleepingClock();
  const start = clock.now;
  const { limiter, calls } = newIsolate({ clock: read, sleep, objectOf: () => silentObject });
  const all = Promise.allSettled(Array.from({ length: 50 }, () => limiter.admit({ clientKey, policy })));
  const outcomes = await runUntil(all, step);
  expect(clock.now - start).toBeGreaterThanOrEqual(SILENCE_MS);
  expect(clock.now - start).toBeLessThan(SILENCE_MS + 1_000);
  expect(calls.objectCalls).toBe(1);
  const admitted = outcomes.filter(({ status }) => status === "fulfilled");
  expect(admitted).toHaveLength(FAIL_OPEN_ALLOWANCE);
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled")
      expect(outcome.value).toMatchObject({ outcome: "fail-open", revocations: null });
    else expect(outcome.reason).toMatchObject({ code: "unavailable" });
  }
});

test("a silent object is not waited for by every request, and the isolate comes back to it", async () => {
  const { clock, read, sleep, step } = sleepingClock();
  let isSilent = true;
  const objectOf = (name: string) => (isSilent ? silentObject : promptObject(name));
  const { limiter, calls } = newIsolate({ clock: read, sleep, objectOf });
  await runUntil(limiter.admit({ clientKey, policy }), step);
  const quick = clock.now;
  expect((await limiter.admit({ clientKey, policy })).outcome).toBe("fail-open");
  expect(clock.now).toBe(quick);
  expect(calls.objectCalls).toBe(1);
  isSilent = false;
  clock.now += 5_000;
  expect((await runUntil(limiter.admit({ clientKey, policy }), step)).outcome).toBe("admitted");
});

test("what a silent object may have leased all the same is given back with the next ask", async () => {
  const { clock, read, sleep, step } = sleepingClock();
  let isSilent = false;
  const deaf = (name: string): LimiterObject => ({
    ...promptObject(name),
    ask: async (ask, quota) => {
      const grant = await promptObject(name).ask(ask, quota);
      return isSilent ? await never() : grant;
    },
  });
  const { limiter } = newIsolate({ clock: read, sleep, objectOf: deaf });
  for (let spent = 0; spent < 7; spent += 1) await runUntil(limiter.admit({ clientKey, policy }), step);
  isSilent = true;
  await runUntil(limiter.admit({ clientKey, policy }), step);
  isSilent = false;
  clock.now += 5_000;
  const after = await runUntil(limiter.admit({ clientKey, policy }), step);
  // 7 admitted, 1 charged for the one who waited in vain, 1 now: the rest of the lost lease is back.
  expect(after.remaining).toBe(100 - 9);
});

test("a machine that stands still is no silence: the gate opens by ticks that came round, not by the clock", async () => {
  const { clock, read } = sleepingClock();
  let ticks = 0;
  const sleep = async () => {
    // Each tick takes the busy isolate a minute of the wall clock.
    clock.now += 60_000;
    ticks += 1;
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  const slow = (name: string): LimiterObject => ({
    ...promptObject(name),
    ask: async (ask, quota) => {
      while (ticks < 10) await new Promise((resolve) => setTimeout(resolve, 0));
      return await promptObject(name).ask(ask, quota);
    },
  });
  const { limiter } = newIsolate({ clock: read, sleep, objectOf: slow });
  expect((await limiter.admit({ clientKey, policy })).outcome).toBe("admitted");
});

test("when the request that asked vanishes, another who waits sends the same ask and nobody is charged twice", async () => {
  const { read, sleep, step } = sleepingClock();
  const { limiter: vanishing, book } = newIsolate({
    clock: read,
    sleep: never,
    objectOf: () => silentObject,
  });
  void vanishing.admit({ clientKey, policy });
  const ids: string[] = [];
  const recording = (name: string): LimiterObject => ({
    ...promptObject(name),
    ask: (ask, quota) => {
      ids.push(ask.id);
      return promptObject(name).ask(ask, quota);
    },
  });
  const lost = book.peek(clientKey)?.pending?.ask;
  const { limiter } = newIsolate({ clock: read, sleep, book, objectOf: recording });
  const survivors = Promise.all([1, 2, 3].map(() => limiter.admit({ clientKey, policy })));
  const admissions = await runUntil(survivors, step);
  expect(admissions.map(({ outcome }) => outcome)).toEqual(["admitted", "admitted", "admitted"]);
  expect(ids[0]).toBe(lost?.id);
});

test("an answer that comes to a request taken for lost, after another settled the ask, is not spent again", async () => {
  const { read, sleep, step } = sleepingClock();
  let answerLate: () => void = () => undefined;
  const late = new Promise<void>((resolve) => {
    answerLate = resolve;
  });
  const works: Promise<unknown>[] = [];
  const { limiter: lost, book } = newIsolate({
    clock: read,
    sleep: never,
    waitUntil: (work) => works.push(work),
    objectOf: (name) => ({
      ...silentObject,
      ask: async (ask, quota) => {
        const grant = await promptObject(name).ask(ask, quota);
        await late;
        return grant;
      },
    }),
  });
  const quota = { ...policy, limit: 20, leaseMax: 20 };
  const { limiter: before } = newIsolate({ clock: read, sleep, book, objectOf: promptObject });
  // Slow start: 1, 2, 4, so that the ask that gets lost is for a lease worth spending twice.
  for (let spent = 0; spent < 7; spent += 1) await runUntil(before.admit({ clientKey, policy: quota }), step);
  const first = lost.admit({ clientKey, policy: quota });
  const { limiter } = newIsolate({ clock: read, sleep, book, objectOf: promptObject });
  const others = Promise.all(Array.from({ length: 5 }, () => limiter.admit({ clientKey, policy: quota })));
  await runUntil(others, step);
  answerLate();
  await Promise.all(works);
  const all = [await first, ...(await others)];
  const more = Promise.all(Array.from({ length: 30 }, () => limiter.admit({ clientKey, policy: quota })));
  all.push(...(await runUntil(more, step)));
  expect(all.filter(({ outcome }) => outcome === "admitted")).toHaveLength(20 - 7);
});

test("a clock set back while an answer is on its way leaves no lease that would live too long", async () => {
  const { clock, read, sleep, step } = sleepingClock();
  let isSetBack = false;
  const setBack = (name: string): LimiterObject => ({
    ...promptObject(name),
    ask: async (ask, quota) => {
      const grant = await promptObject(name).ask(ask, quota);
      if (isSetBack) clock.now -= 3_600_000;
      return grant;
    },
  });
  const { limiter, book } = newIsolate({ clock: read, sleep, objectOf: setBack });
  for (let spent = 0; spent < 7; spent += 1) await runUntil(limiter.admit({ clientKey, policy }), step);
  isSetBack = true;
  expect((await runUntil(limiter.admit({ clientKey, policy }), step)).remaining).toBeGreaterThan(80);
  expect(book.peek(clientKey)?.lease).toBeNull();
  isSetBack = false;
  expect((await runUntil(limiter.admit({ clientKey, policy }), step)).remaining).toBe(100 - 9);
});
