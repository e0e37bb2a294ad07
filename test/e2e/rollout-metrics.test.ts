/** What a rollout reads of a version's requests, and the durations on its command line. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { durationMs, durationText } from "../../scripts/rollout/duration.mjs";
import { analyticsEngine, BUCKETS_SECONDS, quantileSeconds } from "../../scripts/rollout/metrics.mjs";
import { MetricsRecorder } from "../../src/platform/observability/metrics";
import { METRICS } from "../../src/services/operations/metrics/catalogue";
import { versionPoint } from "../../src/services/operations/metrics/version-point";
import { NEW, OLD } from "../support/play-rollout";

const FROM_MS = 1_800_000_000_999;

interface Asked {
  url: string;
  init: RequestInit | undefined;
}

function playEngine(answer: () => Response | Promise<Response>, dataset = "meridian") {
  const asked: Asked[] = [];
  const metricsOf = analyticsEngine({
    login: async () => ({ account: "acc", headers: { Authorization: "Bearer t" } }),
    dataset,
    async fetch(url: string | URL | Request, init?: RequestInit) {
      asked.push({ url: String(url), init });
      return await answer();
    },
  });
  return { asked, metricsOf };
}

test("the buckets are the Worker's", () => {
  const { buckets } = METRICS.http_request_duration_seconds;
  expect(BUCKETS_SECONDS).toEqual([...buckets, Number.POSITIVE_INFINITY]);
});

test("figures are read as the Worker writes them", async () => {
  const recorder = new MetricsRecorder(METRICS, "metrics_series_dropped_total");
  const labels = { route: "/api/users/:id", protocol: "rest" };
  for (let index = 0; index < 100; index += 1) {
    const status = index < 3 ? "503" : "200";
    recorder.count("http_requests_total", { ...labels, method: "GET", status });
    recorder.observe("http_request_duration_seconds", labels, index < 2 ? 0.8 : 0.001);
  }
  const doubles = versionPoint(NEW, [...recorder.take()])?.doubles ?? [];
  const { asked, metricsOf } = playEngine(() => {
    const sql = String(asked[0]?.init?.body);
    const columns = [...sql.matchAll(/SUM\(_sample_interval \* double(\d+)\) AS (\w+)/g)];
    const row = columns.map(([, double, name]) => [name, String(doubles[Number(double) - 1])]);
    return Response.json({ data: [{ version: NEW, ...Object.fromEntries(row) }] });
  });
  const [before, next] = await metricsOf([OLD, NEW], FROM_MS);
  expect(before).toEqual({ requests: 0, failures: 0, p99Ms: 0 });
  expect(next).toEqual({ requests: 100, failures: 3, p99Ms: 750 });
});

test("the query is of both versions, since the time in seconds, in the dataset of the stage", async () => {
  const { asked, metricsOf } = playEngine(() => Response.json({ data: [] }), "meridian-preview");
  await metricsOf([OLD, NEW], FROM_MS);
  expect(asked[0]?.url).toBe("https://api.cloudflare.com/client/v4/accounts/acc/analytics_engine/sql");
  expect(asked[0]?.init).toMatchObject({ method: "POST", headers: { Authorization: "Bearer t" } });
  const sql = String(asked[0]?.init?.body);
  expect(sql).toContain('FROM "meridian-preview"');
  expect(sql).toContain(`(blob2 = '${OLD}' OR blob2 = '${NEW}')`);
  expect(sql).toContain("timestamp >= toDateTime(1800000000)");
});

test("without a dataset there is nothing to read", async () => {
  const metricsOf = analyticsEngine({ login: async () => expect.unreachable(), dataset: undefined, fetch });
  await expect(metricsOf([NEW], FROM_MS)).rejects.toThrow("names no dataset");
});

test("what is no version's id never gets into the query", async () => {
  const { asked, metricsOf } = playEngine(() => Response.json({ data: [] }));
  await expect(metricsOf(["x' OR 1 = 1"], FROM_MS)).rejects.toThrow("no version's id");
  expect(asked).toEqual([]);
});

describe("a reading that fails is one line", () => {
  test.each([
    [
      "a token without the right names it",
      () => new Response("{}", { status: 403 }),
      "Account Analytics: Read",
    ],
    ["an error is shown", () => new Response("unknown table", { status: 422 }), "answers 422: unknown table"],
    ["an answer that is not JSON", () => new Response("<html>"), "answers no JSON"],
    ["no network", () => Promise.reject(new TypeError("fetch failed")), "does not answer: fetch failed"],
  ])("%s", async (_, answer, expected) => {
    const failure = await playEngine(answer)
      .metricsOf([NEW], FROM_MS)
      .catch(({ message }: Error) => message);
    expect(failure).toContain(expected);
    expect(String(failure)).not.toContain("\n");
  });
});

test("a quantile lies in the bucket of its rank, and grows with what is slow", () => {
  const counts = fc.array(fc.nat(1_000), {
    minLength: BUCKETS_SECONDS.length,
    maxLength: BUCKETS_SECONDS.length,
  });
  fc.assert(
    fc.property(counts, (values) => {
      fc.pre(values.some((count) => count > 0));
      const total = values.reduce((sum, count) => sum + count, 0);
      const p99 = quantileSeconds(0.99, values);
      const upTo = values.filter((_, index) => (BUCKETS_SECONDS[index - 1] ?? 0) < p99);
      const within = upTo.reduce((sum, count) => sum + count, 0);
      // The last bucket has no bound: what is in it counts as the largest bound.
      expect(p99 === 10 || within >= 0.99 * total - 1e-6).toBe(true);
      expect(p99).toBeLessThanOrEqual(10);
      expect(
        quantileSeconds(0.99, [...values.slice(0, -1), (values.at(-1) ?? 0) + 1]),
      ).toBeGreaterThanOrEqual(p99);
    }),
  );
});

test.each([
  ["0", 0],
  ["30s", 30_000],
  ["5m", 300_000],
  ["24h", 86_400_000],
])("--watch %s is understood", (text, ms) => {
  expect(durationMs(text)).toBe(ms);
  expect(durationMs(durationText(ms))).toBe(ms);
});

test.each(["", "5", "5 m", "-1m", "1.5h", "0m", "05m", "5min", "25h", "999999999s", "5M", "infinity"])(
  "--watch %s is refused",
  (text) => {
    expect(durationMs(text)).toBeUndefined();
  },
);
