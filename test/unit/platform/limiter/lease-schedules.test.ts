import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Planet, type Transit, worstWindow } from "../../../support/limiter-planet";
import { runs } from "../../../support/runs";
import { VirtualTime } from "../../../support/virtual-time";

const SCHEDULES = runs({ short: 2_000, long: 10_000 });
const WINDOW_SECONDS = 15;

const transit: fc.Arbitrary<Transit> = fc.record({
  thereMs: fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 2_500 })),
  backMs: fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 2_500 })),
  isLost: fc.integer({ min: 0, max: 19 }).map((draw) => draw === 0),
  isAnswerLost: fc.integer({ min: 0, max: 19 }).map((draw) => draw === 0),
  repeatedAfterMs: fc.option(fc.integer({ min: 0, max: 4_000 }), { freq: 5 }),
});

const step = fc.record({
  gapMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 6_000 })),
  isolate: fc.nat(3),
  burst: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 25 })),
  transit,
  event: fc.oneof(
    { weight: 12, arbitrary: fc.constant({ kind: "none" as const, ms: 0 }) },
    { weight: 1, arbitrary: fc.constant({ kind: "evictIsolate" as const, ms: 0 }) },
    { weight: 1, arbitrary: fc.constant({ kind: "evictObject" as const, ms: 0 }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("moveIsolateClock" as const),
        // Forward, or back by more than any schedule lasts: less may pass for idling.
        ms: fc.oneof(fc.integer({ min: 1, max: 9_999_999 }), fc.integer({ min: -9_999_999, max: -600_000 })),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("setObjectClockBack" as const),
        ms: fc.integer({ min: 1, max: 20_000 }),
      }),
    },
  ),
});

const schedule = fc.record({
  limit: fc.integer({ min: 1, max: 40 }),
  leaseMax: fc.option(fc.integer({ min: 1, max: 20 })),
  objectOffsetMs: fc.integer({ min: -9_999_999, max: 9_999_999 }),
  isolateOffsetsMs: fc.array(fc.integer({ min: -9_999_999, max: 9_999_999 }), { minLength: 1, maxLength: 4 }),
  steps: fc.array(step, { minLength: 1, maxLength: 25 }),
});

async function play(plan: typeof schedule extends fc.Arbitrary<infer T> ? T : never): Promise<Planet> {
  const time = new VirtualTime(1_700_000_000_000);
  const planet = new Planet({
    time,
    policy: {
      name: "default",
      limit: plan.limit,
      windowSeconds: WINDOW_SECONDS,
      leaseMax: plan.leaseMax,
      isShadow: false,
    },
    isolates: plan.isolateOffsetsMs.length,
  });
  planet.objectOffsetMs = plan.objectOffsetMs;
  for (const [index, offsetMs] of plan.isolateOffsetsMs.entries()) planet.moveIsolateClock(index, offsetMs);
  for (const { gapMs, isolate, burst, transit: next, event } of plan.steps) {
    await time.run(time.now + gapMs);
    planet.transit = next;
    if (event.kind === "evictIsolate") planet.evictIsolate(isolate);
    if (event.kind === "evictObject") planet.evictObject();
    if (event.kind === "moveIsolateClock") planet.moveIsolateClock(isolate, event.ms);
    if (event.kind === "setObjectClockBack") planet.setObjectClockBack(event.ms);
    for (let count = 0; count < burst; count += 1) void planet.request(isolate);
  }
  await time.run();
  return planet;
}

test(`over ${SCHEDULES} schedules of isolates, delays, evictions, lost returns, skewed clocks and repeats the limit is a limit`, async () => {
  let admissions = 0;
  let refusals = 0;
  let tightest = 0;
  await fc.assert(
    fc.asyncProperty(schedule, async (plan) => {
      const planet = await play(plan);
      const worst = worstWindow(planet.admitted, WINDOW_SECONDS * 1000);
      expect(worst).toBeLessThanOrEqual(plan.limit);
      expect(planet.faults).toEqual([]);
      expect(planet.pending).toBe(0);
      admissions += planet.admissions;
      refusals += planet.refusals;
      tightest += worst === plan.limit ? 1 : 0;
    }),
    { numRuns: SCHEDULES },
  );
  // The schedules are worth something: they admit, they refuse, and they reach the limit.
  expect(admissions).toBeGreaterThan(SCHEDULES);
  expect(refusals).toBeGreaterThan(SCHEDULES);
  expect(tightest).toBeGreaterThan(SCHEDULES / 10);
}, 300_000);
