import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Ask,
  BUCKETS_PER_WINDOW,
  decideAsk,
  EMPTY_STATE,
  isIdle,
  type LimiterState,
  leaseMaxOf,
  type Quota,
  remainingOf,
} from "../../../../src/platform/limiter/lease-rule";

const MINUTE = 60_000;
const QUOTA: Quota = { limit: 100, windowMs: 15 * MINUTE, leaseMax: null };
const START = 1_000 * MINUTE;

function ask(id: string, more: Partial<Ask> = {}): Ask {
  return { id, isolate: "a", waiting: 1, want: 1, returns: [], ...more };
}

describe("a grant", () => {
  test("is never smaller than the requests waiting for it while there are as many", () => {
    const { answer } = decideAsk(EMPTY_STATE, START, ask("1", { waiting: 37, want: 37 }), QUOTA);
    expect(answer).toMatchObject({ granted: 37, admitted: 37, remaining: 63 });
  });

  test("gives a burst all that is left and no more", () => {
    const { answer, state } = decideAsk(EMPTY_STATE, START, ask("1", { waiting: 1_000, want: 1_000 }), QUOTA);
    expect(answer).toMatchObject({ granted: 100, admitted: 100, remaining: 0 });
    expect(decideAsk(state, START, ask("2"), QUOTA).answer).toMatchObject({
      granted: 0,
      releaseMs: 16 * MINUTE,
    });
  });

  test("is at most a tenth of the budget beyond the waiting, and shrinks as less remains and more isolates ask", () => {
    expect(leaseMaxOf(QUOTA)).toBe(10);
    const wanting = (id: string, isolate: string) => ask(id, { isolate, want: 50 });
    let state = EMPTY_STATE;
    const sizes: number[] = [];
    for (let turn = 0; turn < 40; turn += 1) {
      const decision = decideAsk(state, START, wanting(String(turn), `i${turn % 4}`), QUOTA);
      state = decision.state;
      sizes.push(decision.answer.granted);
    }
    expect(sizes[0]).toBe(10);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(100);
    expect(sizes.filter((size) => size > 0).at(-1)).toBe(1);
    expect(sizes.indexOf(1)).toBeGreaterThan(10);
  });

  test("lives to the end of its bucket, and 60 s at most", () => {
    const late = decideAsk(EMPTY_STATE, START + 59_000, ask("1", { want: 5 }), QUOTA).answer;
    expect(late.lifeMs).toBe(1_000);
    const longWindow = { ...QUOTA, windowMs: 3_600_000 };
    expect(decideAsk(EMPTY_STATE, 0, ask("1", { want: 5 }), longWindow).answer.lifeMs).toBe(60_000);
  });

  test("repeated under its id is the same grant, charged once", () => {
    const first = decideAsk(EMPTY_STATE, START, ask("1", { waiting: 3, want: 8 }), QUOTA);
    const again = decideAsk(first.state, START + 10, ask("1", { waiting: 3, want: 8 }), QUOTA);
    expect(again.answer).toMatchObject({ granted: first.answer.granted, admitted: 3, remaining: 92 });
    expect(again.isChanged).toBe(false);
  });
});

describe("the window", () => {
  test("holds a unit until its bucket's last instant has left, and says when that is", () => {
    const full = decideAsk(EMPTY_STATE, START + 30_000, ask("1", { waiting: 100, want: 100 }), QUOTA).state;
    const refused = decideAsk(full, START + 31_000, ask("2"), QUOTA).answer;
    expect(refused).toMatchObject({ granted: 0, releaseMs: 16 * MINUTE - 31_000 });
    expect(decideAsk(full, START + 16 * MINUTE - 1, ask("3"), QUOTA).answer.granted).toBe(0);
    expect(decideAsk(full, START + 16 * MINUTE, ask("4"), QUOTA).answer.granted).toBe(1);
  });

  test("never moves backwards with the clock", () => {
    const full = decideAsk(EMPTY_STATE, START, ask("1", { waiting: 100, want: 100 }), QUOTA).state;
    const before = decideAsk(full, START - 60 * MINUTE, ask("2"), QUOTA);
    expect(before.answer).toMatchObject({ granted: 0, releaseMs: 16 * MINUTE });
    expect(before.state.clockMs).toBe(START);
  });

  test("keeps what was counted when its length changes", () => {
    const spent = decideAsk(EMPTY_STATE, START, ask("1", { waiting: 60, want: 60 }), QUOTA).state;
    const other = { ...QUOTA, windowMs: 30_000 };
    expect(decideAsk(spent, START, ask("2", { waiting: 100, want: 100 }), other).answer.granted).toBe(40);
  });

  test("is idle when all its buckets have left", () => {
    const { state } = decideAsk(EMPTY_STATE, START, ask("1"), QUOTA);
    expect(isIdle(state, START + 16 * MINUTE - 1)).toBe(false);
    expect(isIdle(state, START + 16 * MINUTE)).toBe(true);
  });
});

describe("a return", () => {
  const leased = decideAsk(EMPTY_STATE, START, ask("1", { waiting: 2, want: 10 }), QUOTA).state;
  const returning = (state: LimiterState, unspent: number, at = START) =>
    decideAsk(state, at, ask("r", { waiting: 0, want: 0, returns: [{ id: "1", unspent }] }), QUOTA);

  test("credits at most what was leased, never what the waiting were admitted for", () => {
    expect(returning(leased, 3).answer.remaining).toBe(93);
    expect(returning(leased, 1_000).answer.remaining).toBe(98);
    expect(returning(leased, -5).answer.remaining).toBe(90);
  });

  test("counts once", () => {
    const once = returning(leased, 3);
    expect(once.isChanged).toBe(true);
    expect(returning(once.state, 3).answer.remaining).toBe(93);
  });

  test("of an unknown lease or a bucket that has left credits nothing", () => {
    expect(returning(EMPTY_STATE, 3).answer.remaining).toBe(100);
    const later = decideAsk(leased, START + 16 * MINUTE, ask("2", { waiting: 4, want: 4 }), QUOTA).state;
    expect(returning(later, 8, START + 16 * MINUTE).answer.remaining).toBe(96);
  });

  test("makes a repeated ask worth nothing but the waiting's admission", () => {
    const again = decideAsk(
      returning(leased, 8).state,
      START,
      ask("1", { waiting: 2, want: 10 }),
      QUOTA,
    ).answer;
    expect(again.lifeMs).toBe(0);
  });
});

test("whatever is asked and returned, no more than the limit is out in any window, and no free budget is refused", () => {
  const step = fc.record({
    afterMs: fc.integer({ min: -90_000, max: 300_000 }),
    isolate: fc.constantFrom("a", "b", "c"),
    waiting: fc.integer({ min: 0, max: 30 }),
    extra: fc.integer({ min: 0, max: 40 }),
    returned: fc.option(fc.record({ lease: fc.nat(50), unspent: fc.integer({ min: -3, max: 60 }) })),
    repeats: fc.option(fc.nat(50)),
  });
  const quotas = fc.record({
    limit: fc.integer({ min: 1, max: 120 }),
    windowMs: fc.constantFrom(15_000, 16_000, 900_000, 3_600_000),
    leaseMax: fc.option(fc.integer({ min: 1, max: 50 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), quotas, (steps, quota) => {
      let state = EMPTY_STATE;
      let now = START;
      /** Net units by grant: what was granted less what was taken back, at the instant of the grant. */
      const grants: { id: string; at: number; units: number; leased: number }[] = [];
      for (const [index, { afterMs, isolate, waiting, extra, returned, repeats }] of steps.entries()) {
        now += afterMs;
        const at = Math.max(state.clockMs, now);
        const back = returned === null ? undefined : grants[returned.lease];
        const returns = back && returned ? [{ id: back.id, unspent: returned.unspent }] : [];
        const repeated = repeats === null ? undefined : grants[repeats];
        const id = repeated?.id ?? String(index);
        const before = state;
        const { answer, state: next } = decideAsk(
          before,
          now,
          { id, isolate, waiting, want: waiting + extra, returns },
          quota,
        );
        state = next;
        expect(next.clockMs).toBe(at);
        if (repeated !== undefined && before.leases.some((lease) => lease.id === id)) continue;
        if (back && returned) {
          const credit = Math.max(0, Math.min(returned.unspent, back.leased));
          back.units -= before.leases.some((lease) => lease.id === back.id) ? credit : 0;
          back.leased = 0;
        }
        if (answer.granted > 0)
          grants.push({ id, at, units: answer.granted, leased: answer.granted - answer.admitted });
        else if (waiting > 0) expect(answer.remaining).toBe(0);
        expect(answer.granted).toBeLessThanOrEqual(Math.max(waiting, leaseMaxOf(quota)));
        const inWindow = grants.filter((grant) => grant.at > at - quota.windowMs);
        expect(inWindow.reduce((sum, grant) => sum + grant.units, 0)).toBeLessThanOrEqual(quota.limit);
        expect(remainingOf(state, quota)).toBeGreaterThanOrEqual(0);
        expect(state.buckets.length).toBeLessThanOrEqual(BUCKETS_PER_WINDOW + 1);
      }
    }),
    { numRuns: 1_000 },
  );
});
