import { beforeEach, expect, test } from "vitest";
import type { AttemptReport, Consumer } from "../../../src/platform/outbox";
import { freshEmail } from "../../support/accounts";
import { freshAddress } from "../../support/client";
import { sendCounted } from "../../support/counted-app";
import { watchLogs } from "../../support/log-watch";
import { bench, commitEvent, dispatcher, handOver } from "../../support/outbox";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

const watch = watchLogs();

function linesOf(event: string): Record<string, unknown>[] {
  const { lines } = watch.drain();
  return lines.map((line) => JSON.parse(line)).filter((line) => line.event === event);
}

beforeEach(() => void watch.drain());

async function signUp(headers: Record<string, string> = {}) {
  return await sendCounted(
    new Request("https://meridian.example/api/users", {
      method: "POST",
      headers: { "Content-Type": "application/json", "CF-Connecting-IP": freshAddress(), ...headers },
      body: JSON.stringify({ name: "Ada Lovelace", email: freshEmail() }),
    }),
  );
}

test("a request is one line, by which it is found and its cost is known", async () => {
  const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
  await signUp({ "X-Request-Id": "asked-by-a-client", traceparent });
  const lines = linesOf("request");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    level: "info",
    requestId: "asked-by-a-client",
    traceId: TRACE,
    route: "/api/users",
    protocol: "rest",
    method: "POST",
    status: 201,
    code: null,
    actor: "anonymous",
    durationMs: expect.any(Number),
    admittedBy: "object",
  });
});

test("a request's line counts what it did before its answer, and nothing of what follows", async () => {
  const { before, after } = await signUp();
  const [line] = linesOf("request");
  expect(after.d1RoundTrips).toBeGreaterThan(0);
  expect(after.kvWrites + after.queueSends).toBeGreaterThan(1);
  expect(line).toMatchObject({
    d1RoundTrips: before.d1RoundTrips,
    d1Statements: before.d1Statements,
    kvWrites: 0,
    queueSends: 0,
  });
});

test("a consumed message is one line and one report, in the trace of the request that caused it", async () => {
  const on = bench();
  const eventId = await commitEvent(on);
  const reports: AttemptReport[] = [];
  const consumers: Record<string, Consumer> = {
    count: { kind: "transactional", prepare: () => ({ statements: [] }) },
    mail: {
      kind: "external",
      act: async () => {
        throw new Error("ada@example.com is unknown here");
      },
    },
  };
  const bodies = ["count", "mail", "count"].map((consumer) => ({ eventId, consumer }));
  const dispatch = dispatcher(on, consumers, 3, (report) => void reports.push(report));
  await handOver(bodies.slice(0, 2), (batch) => dispatch.dispatch(batch));
  await handOver(bodies.slice(2), (batch) => dispatch.dispatch(batch));
  expect(reports.map(({ consumer, outcome }) => `${consumer} ${outcome}`).sort()).toEqual([
    "count done",
    "count skipped",
    "mail retry",
  ]);
  const lines = on.scope.lines.filter(({ event }) => event === "message");
  expect(lines).toHaveLength(3);
  expect(lines.filter(({ outcome }) => outcome !== "skipped")).toEqual([
    expect.objectContaining({ eventId, type: "thing.made", traceId: TRACE }),
    expect.objectContaining({ eventId, type: "thing.made", traceId: TRACE }),
  ]);
  expect(JSON.stringify(on.scope.lines)).not.toContain("ada@example.com");
});
