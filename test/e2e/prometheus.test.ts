/**
 * What the built Worker counts, over restarts and in the formats that Prometheus reads. Its own tools judge the formats;
 * without them (`apt-get install prometheus python3-prometheus-client`) those tests are skipped.
 */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isInstalled } from "../support/prometheus/installed";
import { KillableServer } from "../support/prometheus/killable-server";
import { TEST_SECRETS } from "../support/secrets";

const hasPromtool = isInstalled("promtool");
const hasPythonClient = isInstalled("/usr/bin/python3", ["-c", "import prometheus_client"]);

const server = new KillableServer();
const authorization = { Authorization: `Bearer ${TEST_SECRETS.METRICS_TOKEN}` };

beforeAll(async () => await server.open(), 120_000);
afterAll(async () => await server.close());

async function metrics(accept = "text/plain"): Promise<string> {
  const response = await fetch(`${server.url}/metrics`, { headers: { ...authorization, Accept: accept } });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer()).toString("utf8");
}

/** Answers so far, the scrapes themselves and the harness's cron aside. */
async function answered(): Promise<number> {
  const lines = (await metrics()).split("\n").filter((line) => line.startsWith("http_requests_total{"));
  const counted = lines.filter(
    (line) => !line.includes('route="/metrics"') && !line.includes('route="/readyz"'),
  );
  return counted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

const PATHS = ["/healthz", "/api/products", "/api/nothing", "/api/users/me", "/problems/not_found", "/"];

/** Sends so many requests, eight at a time. */
async function load(count: number): Promise<void> {
  let sent = 0;
  const client = async () => {
    while (sent < count) {
      const index = sent;
      sent += 1;
      const headers = { "CF-Connecting-IP": `2001:db8:${index % 500}::1` };
      const response = await fetch(`${server.url}${PATHS[index % PATHS.length]}`, { headers });
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
}

test("ten seconds after the last, the sum is what was sent, over an orderly restart and a kill", {
  timeout: 120_000,
}, async () => {
  const before = await answered();
  await load(1_000);
  await sleep(10_000);
  expect(await answered()).toBe(before + 1_000);
  await server.stop("SIGTERM");
  await server.start();
  expect(await answered()).toBe(before + 1_000);
  await load(500);
  // Without a scrape: the isolate's own timer must have delivered them before the kill.
  await sleep(10_000);
  await server.stop("SIGKILL");
  await server.start();
  expect(await answered()).toBe(before + 1_500);
});

test.skipIf(!hasPromtool)("promtool finds no fault with the text format", async () => {
  const checked = spawnSync("promtool", ["check", "metrics"], { input: await metrics(), encoding: "utf8" });
  expect(checked.stdout + checked.stderr).toBe("");
  expect(checked.status).toBe(0);
});

test.skipIf(!hasPythonClient)("Prometheus' own client parses OpenMetrics strictly", async () => {
  const program = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(len(list(text_string_to_metric_families(sys.stdin.read()))))`;
  const input = await metrics("application/openmetrics-text; version=1.0.0");
  const parsed = spawnSync("/usr/bin/python3", ["-c", program], { input, encoding: "utf8" });
  expect(parsed.stderr).toBe("");
  expect(Number(parsed.stdout)).toBeGreaterThan(25);
});
