import { expect, test } from "vitest";
import { type Calls, newCalls } from "../../../src/platform/observability/calls";
import type { LogFields, Logger } from "../../../src/platform/observability/logger";
import { requestWork } from "../../../src/platform/request-work";

/** One request: what the platform keeps of it, and what is recorded. */
function request() {
  const calls = newCalls();
  const kept: Promise<unknown>[] = [];
  const recorded: Calls[] = [];
  const lines: LogFields[] = [];
  const log: Logger = {
    log: (level, event, fields) => void lines.push({ level, event, ...fields }),
  };
  const work = requestWork({
    ...{ calls, log },
    keep: (promise) => void kept.push(promise),
    record: (later) => void recorded.push(later),
  });
  const ended = async () => void (await Promise.all(kept));
  const callD1 = async () => {
    await Promise.resolve();
    calls.d1RoundTrips += 1;
  };
  const trips = () => recorded.reduce((sum, { d1RoundTrips }) => sum + d1RoundTrips, 0);
  return { ...work, calls, kept, lines, ended, callD1, trips };
}

test("a task waits for the response, and the platform keeps it from the start", async () => {
  const { afterResponse, respond, kept, ended } = request();
  const done: string[] = [];
  afterResponse(async () => void done.push("task"));
  await scheduler.wait(1);
  expect(kept).toHaveLength(1);
  done.push("response");
  respond();
  await ended();
  expect(done).toEqual(["response", "task"]);
});

test("calls of a task are not the response's, whoever made them over the same counter", async () => {
  const { afterResponse, respond, callD1, ended, trips } = request();
  afterResponse(callD1);
  await callD1();
  await callD1();
  expect(respond().d1RoundTrips).toBe(2);
  await ended();
  expect(trips()).toBe(1);
});

test("work of the request that ends before its response is the response's", async () => {
  const { waitUntil, respond, callD1, ended, trips } = request();
  waitUntil(callD1());
  await ended();
  expect(trips()).toBe(0);
  expect(respond().d1RoundTrips).toBe(1);
});

test("work that goes on after the response counts there, and so do its tasks, which start at once", async () => {
  const { waitUntil, afterResponse, respond, callD1, kept, ended, trips } = request();
  const { promise: hungUp, resolve: goOn } = Promise.withResolvers<void>();
  waitUntil(
    hungUp.then(async () => {
      await callD1();
      afterResponse(callD1);
    }),
  );
  expect(respond().d1RoundTrips).toBe(0);
  goOn();
  await ended();
  expect(kept).toHaveLength(2);
  await ended();
  expect(trips()).toBe(2);
});

test.each([true, false])(
  "a task that fails is logged and stops no other (before the response: %s)",
  async (isBefore) => {
    const { afterResponse, respond, callD1, ended, trips, lines } = request();
    if (!isBefore) respond();
    afterResponse(() => {
      throw new TypeError("planted");
    });
    afterResponse(callD1);
    if (isBefore) respond();
    await ended();
    expect(lines).toMatchObject([{ level: "error", event: "background.failed" }]);
    expect(trips()).toBe(1);
  },
);
