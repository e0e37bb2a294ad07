/** The budget that D1 counts, over real SQLite; time is the test's, unless the test is about the database's own. */
import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CountedBudget,
  newRefusalMemory,
  type RefusalMemory,
} from "../../../src/platform/attempt-counts/counted-budget";
import { AttemptCounts } from "../../../src/platform/attempt-counts/counts";
import { newId } from "../../../src/platform/clock";
import { Database } from "../../../src/platform/database";
import { Deriver } from "../../../src/platform/deriver";
import { budgetTargets, type Policy } from "../../../src/platform/limiter";
import { newCalls } from "../../../src/platform/observability/calls";
import { type Admitted, worstWindow } from "../../support/limiter-planet";
import { rowsOf } from "../../support/outbox";

const START = Date.parse("2026-11-22T10:00:00Z");
const POLICY: Policy = { name: "signUpPerIp", limit: 3, windowSeconds: 900, leaseMax: null, isShadow: false };
const database = new Database(env.DB, newCalls());
const deriver = new Deriver("A".repeat(43));

interface Isolate {
  readonly memory: RefusalMemory;
  readonly policy: Policy;
  /** Of the isolate, and of the database unless that has its own. */
  now: number;
  readonly hasDatabaseClock: boolean;
}

function newIsolate(replaced: Partial<Isolate> = {}): Isolate {
  return { memory: newRefusalMemory(), policy: POLICY, now: START, hasDatabaseClock: false, ...replaced };
}

function budgetOf({ memory, policy, now, hasDatabaseClock }: Isolate): CountedBudget {
  const scope = { clock: () => now, newId };
  const counts = new AttemptCounts(database, hasDatabaseClock ? undefined : sql`cast(${now} as integer)`);
  return new CountedBudget({ database, deriver, shield: async () => true, memory, policy, scope, counts });
}

/** One attempt with nothing to it. Null: it was charged; else how long it is to wait. */
async function attempt(isolate: Isolate, address: string): Promise<number | null> {
  const begun = await budgetOf(isolate).begin(address);
  const outcome = begun.ok ? await committed(begun.value) : begun;
  return outcome.ok ? null : (outcome.refusal.retryAfterSeconds ?? 0);
}

type Begun = Extract<Awaited<ReturnType<CountedBudget["begin"]>>, { ok: true }>["value"];

async function committed({ charge, buckets, judge }: Begun) {
  const {
    rows: [, rows],
  } = await database.commit([charge, buckets]);
  return judge(rows);
}

async function spell(isolate: Isolate, address: string, times: number): Promise<boolean[]> {
  const seen: boolean[] = [];
  for (let time = 0; time < times; time += 1) seen.push((await attempt(isolate, address)) === null);
  return seen;
}

const counted = () => rowsOf<{ count: number }>("select count from attempt_counts order by id");

const ADDRESSES = ["192.0.2.1", "2001:db8:1:1::1", "2001:db8:1:1::2", "2001:db8:1:2::1", "2001:db8:1:3::1"];
const step = fc.record({
  waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_200 }), fc.integer({ min: 0, max: 20_000 })),
  address: fc.constantFrom(...ADDRESSES),
  atOnce: fc.integer({ min: 1, max: 4 }),
  isElsewhere: fc.boolean(),
  isSwept: fc.boolean(),
});
const history = fc.record({
  windowSeconds: fc.constantFrom(1, 7, 15),
  limit: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(step, { minLength: 5, maxLength: 30 }),
});

test("in no sliding window is a network charged above its limit, and who waits as told is admitted", async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ windowSeconds, limit, steps }) => {
      await env.DB.prepare("delete from attempt_counts").run();
      const policy = { ...POLICY, windowSeconds, limit };
      const home = newIsolate({ policy });
      const admitted = new Map<string, Admitted[]>();
      const attempts = async (address: string, times: number, isElsewhere: boolean) => {
        const isolate = isElsewhere ? newIsolate({ policy, now: home.now }) : home;
        const waits = await Promise.all(Array.from({ length: times }, () => attempt(isolate, address)));
        const units = waits.filter((wait) => wait === null).length;
        for (const { object } of budgetTargets(policy, { kind: "address", address })) {
          admitted.set(object, [...(admitted.get(object) ?? []), { at: home.now, units }]);
        }
        return waits.find((wait) => wait !== null) ?? null;
      };
      for (const { waitMs, address, atOnce, isElsewhere, isSwept } of steps) {
        home.now += waitMs;
        if (isSwept) await budgetOf(home).sweep();
        const wait = await attempts(address, atOnce, isElsewhere);
        if (wait === null) continue;
        home.now += wait * 1000;
        expect(await attempts(address, 1, !isElsewhere), "a retry after Retry-After").toBeNull();
      }
      for (const address of ADDRESSES) {
        for (const { object, quota } of budgetTargets(policy, { kind: "address", address })) {
          const worst = worstWindow(admitted.get(object) ?? [], quota.windowMs);
          expect(worst, object).toBeLessThanOrEqual(quota.limit);
        }
      }
    }),
    { numRuns: 30, seed: 11 },
  );
}, 120_000);

test("of two hundred attempts at once, from many isolates, the limit is charged and no more", async () => {
  const policy = { ...POLICY, limit: 50 };
  const isolates = Array.from({ length: 20 }, () => newIsolate({ policy }));
  const waits = await Promise.all(
    isolates.flatMap((isolate) => Array.from({ length: 10 }, () => attempt(isolate, "192.0.2.1"))),
  );
  expect(waits.filter((wait) => wait === null)).toHaveLength(50);
  expect(await counted()).toEqual([{ count: 50 }]);
});

test("a charge is held for a window, and for a fifteenth more at most", async () => {
  const isolate = newIsolate();
  expect(await spell(isolate, "192.0.2.1", 4)).toEqual([true, true, true, false]);
  for (const [seconds, isAdmitted] of [
    [899, false],
    [959, false],
    [960, true],
  ] as const) {
    const later = newIsolate({ now: START + seconds * 1000 });
    expect([seconds, (await attempt(later, "192.0.2.1")) === null]).toEqual([seconds, isAdmitted]);
  }
});

test("an IPv6 /64 has the budget and its /48 four times as much: both are charged, or none", async () => {
  const isolate = newIsolate();
  expect(await spell(isolate, "2001:db8:1:1::1", 4)).toEqual([true, true, true, false]);
  expect(await attempt(isolate, "2001:db8:1:1::2")).not.toBeNull();
  let admitted = 3;
  for (let net = 2; net < 20; net += 1)
    admitted += (await attempt(newIsolate(), `2001:db8:1:${net}::1`)) === null ? 1 : 0;
  expect(admitted).toBe(12);
  // The /48 and the twelve that it let in (three of them one /64): who was refused by the /48 is not charged on the /64.
  expect((await counted()).map(({ count }) => count).sort((a, b) => b - a)).toEqual([
    12,
    3,
    ...Array(9).fill(1),
  ]);
  expect(await attempt(isolate, "2001:db8:2:1::1")).toBeNull();
});

test("no address can be read in the table, and none comes back in another budget's rows", async () => {
  await attempt(newIsolate(), "192.0.2.1");
  await attempt(newIsolate({ policy: { ...POLICY, name: "verifyPerIp" } }), "192.0.2.1");
  const rows = await rowsOf<{ key: string }>("select * from attempt_counts");
  expect(rows).toHaveLength(2);
  expect(JSON.stringify(rows)).not.toContain("192.0.2");
  expect(new Set(rows.map(({ key }) => key)).size).toBe(2);
});

test("time is the database's: isolates whose clocks lie hours apart share one limit", async () => {
  const clocks = [-7_200_000, 0, 7_200_000, -60_000, 60_000];
  const seen = await Promise.all(
    clocks.map((offset) =>
      attempt(newIsolate({ now: Date.now() + offset, hasDatabaseClock: true }), "192.0.2.1"),
    ),
  );
  expect(seen.filter((wait) => wait === null)).toHaveLength(3);
  const [row] = await rowsOf<{ bucket_ends_at: number }>("select bucket_ends_at from attempt_counts");
  expect(Math.abs((row?.bucket_ends_at ?? 0) - Date.now())).toBeLessThan(61_000);
});

test("a window that is configured anew loses no charge", async () => {
  const wide = newIsolate();
  expect(await spell(wide, "192.0.2.1", 3)).toEqual([true, true, true]);
  const narrow = { ...POLICY, windowSeconds: 30 };
  const at = (seconds: number, policy: Policy) => newIsolate({ policy, now: START + seconds * 1000 });
  expect(await attempt(at(29, narrow), "192.0.2.1")).not.toBeNull();
  expect(await attempt(at(899, { ...POLICY, windowSeconds: 1_800 }), "192.0.2.1")).not.toBeNull();
});

test("under a limit that was lowered Retry-After waits for as many buckets as it takes", async () => {
  for (const seconds of [0, 60, 120]) await attempt(newIsolate({ now: START + seconds * 1000 }), "192.0.2.1");
  const lowered = newIsolate({ policy: { ...POLICY, limit: 1 }, now: START + 120_000 });
  expect(await attempt(lowered, "192.0.2.1")).toBe(960);
});

test("an isolate refuses again what it knows is spent without asking, a minute at most", async () => {
  const isolate = newIsolate();
  expect(await spell(isolate, "192.0.2.1", 3)).toEqual([true, true, true]);
  // Known from the last charge that found room: nobody had to be refused for it.
  const begun = await budgetOf(isolate).begin("192.0.2.1");
  expect(begun).toMatchObject({
    ok: false,
    refusal: {
      code: "rate_limited",
      retryAfterSeconds: 960,
      extensions: { "violated-policies": [{ policy: "signUpPerIp" }] },
    },
  });
  isolate.now += 59_000;
  expect((await budgetOf(isolate).begin("192.0.2.1")).ok).toBe(false);
  expect((await budgetOf(isolate).begin("192.0.2.2")).ok).toBe(true);
  isolate.now += 1_000;
  expect((await budgetOf(isolate).begin("192.0.2.1")).ok).toBe(true);
});

test("the /48 that is spent is refused from memory for each of its networks", async () => {
  const isolate = newIsolate({ policy: { ...POLICY, limit: 1 } });
  for (let net = 1; net <= 4; net += 1) await attempt(isolate, `2001:db8:1:${net}::1`);
  expect((await budgetOf(isolate).begin("2001:db8:1:9::1")).ok).toBe(false);
});

test("the sweep takes what counts no more, in steps, and leaves what does", async () => {
  await env.DB.prepare(
    `insert into attempt_counts (key, bucket_ends_at, count, last_charge_id)
      with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i, ?, 1, i from n`,
  )
    .bind(START - 900_000)
    .run();
  const isolate = newIsolate();
  await attempt(isolate, "192.0.2.1");
  expect(await budgetOf(newIsolate({ now: START - 1 })).sweep()).toBe(0);
  expect(await budgetOf(isolate).sweep()).toBe(1_200);
  expect(await counted()).toEqual([{ count: 1 }]);
  expect(await spell(newIsolate(), "192.0.2.1", 3)).toEqual([true, true, false]);
  isolate.now += 960_000;
  expect(await budgetOf(isolate).sweep()).toBe(1);
});
