import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { analytics } from "../../src/jobs/consumers/analytics";
import type { Actor } from "../../src/kernel/actor";
import { Analytics } from "../../src/platform/analytics";
import { callBy } from "../../src/platform/call";
import { AnalyticsService, signupsQuery } from "../../src/services/operations/analytics";
import { bench, commitEvent, dispatcher, handOver } from "../support/outbox";

const ADMIN: Actor = { kind: "user", userId: "a", role: "admin", sessionId: null };

function setUp() {
  const on = bench({ consumersOf: () => ["analytics"] });
  const points: unknown[] = [];
  const dataset = new Analytics({ writeDataPoint: (point) => void points.push(point) });
  const service = new AnalyticsService(on.database, dataset, on.scope);
  return { on, points, service, handlers: dispatcher(on, { analytics: analytics(service) }) };
}

test("a sign-up counts once in the UTC day of its event and writes one data point, however often it is delivered", async () => {
  const { on, points, service, handlers } = setUp();
  const first = await commitEvent(on, "user.created");
  on.clock.advance(14 * 3600 - 1);
  const second = await commitEvent(on, "user.created");
  on.clock.advance(1);
  const third = await commitEvent(on, "user.created");
  const bodies = [first, second, third].map((eventId) => ({ eventId, consumer: "analytics" }));
  for (let round = 0; round < 3; round += 1) await handOver(bodies, (batch) => handlers.dispatch(batch));
  expect(await service.signups(callBy(ADMIN), {})).toEqual({
    ok: true,
    value: [
      { date: "2026-11-22", count: 2 },
      { date: "2026-11-23", count: 1 },
    ],
  });
  expect(points).toHaveLength(3);
  expect(points[0]).toEqual({
    indexes: ["user_signup"],
    blobs: ["user_signup", "2026-11-22", first],
    doubles: [1],
  });
});

test("the counts are an administrator's, and a range is in order and at most 366 days", async () => {
  const { service } = setUp();
  const user: Actor = { ...ADMIN, role: "user" };
  expect(await service.signups(callBy(user), {})).toMatchObject({
    ok: false,
    refusal: { code: "forbidden" },
  });
  const inverted = await service.signups(callBy(ADMIN), { from: "2026-11-22", to: "2026-11-21" });
  expect(inverted).toMatchObject({ ok: false, refusal: { code: "validation_failed" } });
  const tooLong = await service.signups(callBy(ADMIN), { from: "2025-01-01", to: "2026-11-21" });
  expect(tooLong).toMatchObject({ ok: false, refusal: { violations: [{ pointer: "#/query/from" }] } });
  expect(signupsQuery().safeParse({ from: "2026-02-30" }).success).toBe(false);
});

test("both ends of a range are counted, and nothing outside", async () => {
  const { service } = setUp();
  await env.DB.prepare(
    "insert into daily_signups (day, count) values ('2026-11-01', 1), ('2026-11-02', 2), ('2026-11-03', 3), ('2026-11-04', 4)",
  ).run();
  expect(await service.signups(callBy(ADMIN), { from: "2026-11-02", to: "2026-11-03" })).toEqual({
    ok: true,
    value: [
      { date: "2026-11-02", count: 2 },
      { date: "2026-11-03", count: 3 },
    ],
  });
});
