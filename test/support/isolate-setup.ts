/**
 * Runs first for each test file in workerd. Files share one isolate, and no test may find what another has left in it:
 * what the isolate keeps, such as an open circuit or a lease, or a mock.
 */
import { beforeEach, vi } from "vitest";
import { resetIsolate } from "../../src/platform/isolate";
import { metrics } from "../../src/services/operations/metrics/isolate-metrics";

vi.useRealTimers();
vi.restoreAllMocks();
vi.unstubAllGlobals();

beforeEach(() => {
  // What an earlier test left would be flushed five seconds after its request, into the counts of this one.
  metrics().take();
  resetIsolate();
});
