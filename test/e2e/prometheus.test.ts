/**
 * The real tools over the real Worker: Prometheus and Alertmanager as Debian packages them, the strict parser of
 * Prometheus' own client. Without them (`apt-get install prometheus prometheus-alertmanager python3-prometheus-client`)
 * those tests are skipped; the sums are tested in any case.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../../scripts/tools.mjs";
import { freePort, KillableServer } from "../support/prometheus/killable-server";
import { TEST_SECRETS } from "../support/secrets";

function isInstalled(command: string, args: readonly string[] = ["--version"]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

const hasPrometheus = ["prometheus", "promtool", "prometheus-alertmanager"].every((name) =>
  isInstalled(name),
);
const hasPythonClient = isInstalled("/usr/bin/python3", ["-c", "import prometheus_client"]);

const server = new KillableServer();
const authorization = { Authorization: `Bearer ${TEST_SECRETS.METRICS_TOKEN}` };
let people = 0;

beforeAll(
  async () => await server.open({ CONSUMER_BACKOFF_SECONDS: "1", CONSUMER_ATTEMPTS_MAX: "100" }),
  120_000,
);
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

async function signUp(): Promise<void> {
  people += 1;
  const response = await fetch(`${server.url}/api/users`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "CF-Connecting-IP": `2001:db8:a:${people.toString(16)}::1`,
    },
    body: JSON.stringify({ name: "Ada Lovelace", email: `alerted${people}@example.com` }),
  });
  await response.arrayBuffer();
  expect(response.status).toBe(201);
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

test.skipIf(!hasPrometheus)("promtool finds no fault with the text format", async () => {
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

/** Days of samples, which promtool computes on one core for half a minute. */
const RULES_TIMEOUT_MS = 240_000;

test.skipIf(!hasPrometheus)(
  "the alert rules are well formed and pass their unit tests",
  () => {
    const rules = join(ROOT, "ops/prometheus");
    for (const args of [
      ["check", "rules", join(rules, "alerts.yml")],
      ["test", "rules", join(rules, "alerts.test.yml")],
    ]) {
      const checked = spawnSync("promtool", args, { encoding: "utf8" });
      expect(checked.status, checked.stdout + checked.stderr).toBe(0);
    }
  },
  RULES_TIMEOUT_MS,
);

interface Alert {
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
}

/** Where Alertmanager sends what it has to say. */
class Receiver {
  readonly heard: string[] = [];
  readonly #server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const { alerts } = JSON.parse(body) as { alerts: Alert[] };
      for (const { status, labels } of alerts)
        this.heard.push(`${labels.alertname} ${labels.consumer ?? ""} ${status}`);
      response.end();
    });
  });

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}

/** The committed configuration with minutes made seconds, for a fault need not last longer to be seen. */
function hasten(directory: string, ports: { alertmanager: number; receiver: number }): void {
  cpSync(join(ROOT, "ops"), directory, { recursive: true });
  const edit = (path: string, change: (text: string) => string) =>
    writeFileSync(join(directory, path), change(readFileSync(join(directory, path), "utf8")));
  edit("prometheus/prometheus.yml", (text) =>
    text
      .replace("127.0.0.1:8787", new URL(server.url).host)
      .replace("127.0.0.1:9093", `127.0.0.1:${ports.alertmanager}`)
      .replaceAll(/(scrape_interval|evaluation_interval): 15s/g, "$1: 1s")
      .replace("scrape_timeout: 10s", "scrape_timeout: 1s"),
  );
  edit("prometheus/alerts.yml", (text) =>
    text.replaceAll("[5m]", "[15s]").replaceAll(/for: \d+[ms]/g, "for: 2s"),
  );
  edit("alertmanager.yml", (text) =>
    text
      .replace("127.0.0.1:9094", `127.0.0.1:${ports.receiver}`)
      .replace("group_wait: 10s", "group_wait: 1s")
      .replace("group_interval: 1m", "group_interval: 1s"),
  );
  writeFileSync(join(directory, "prometheus/metrics-token"), TEST_SECRETS.METRICS_TOKEN);
}

test.skipIf(!hasPrometheus)(
  "a consumer that throws is told to the operators' webhook by Prometheus and Alertmanager, and so is its end",
  { timeout: 180_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "meridian-prometheus-"));
    const receiver = new Receiver();
    const children: ChildProcess[] = [];
    const run = (command: string, args: readonly string[]) =>
      children.push(spawn(command, args, { stdio: "ignore", cwd: directory }));
    try {
      const [{ port: prometheus }, { port: alertmanager }] = await Promise.all([freePort(), freePort()]);
      hasten(directory, { alertmanager, receiver: await receiver.open() });
      run("prometheus", [
        `--config.file=${join(directory, "prometheus/prometheus.yml")}`,
        `--storage.tsdb.path=${join(directory, "tsdb")}`,
        `--web.listen-address=127.0.0.1:${prometheus}`,
      ]);
      run("prometheus-alertmanager", [
        `--config.file=${join(directory, "alertmanager.yml")}`,
        `--storage.path=${join(directory, "alertmanager")}`,
        `--web.listen-address=127.0.0.1:${alertmanager}`,
        "--cluster.listen-address=",
      ]);
      const signUpsUntil = async (line: string) => {
        const deadline = Date.now() + 80_000;
        while (!receiver.heard.includes(line)) {
          if (Date.now() > deadline)
            throw new Error(`never heard "${line}", but: ${receiver.heard.join("; ")}`);
          await signUp();
          await sleep(250);
        }
      };
      server.isMailDown = true;
      await signUpsUntil("ConsumerFailing welcome-mail firing");
      server.isMailDown = false;
      await signUpsUntil("ConsumerFailing welcome-mail resolved");

      const query = encodeURIComponent("sum(signups_total)");
      const answer = await fetch(`http://127.0.0.1:${prometheus}/api/v1/query?query=${query}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      expect(Number(data.result[0]?.value[1])).toBeGreaterThan(10);
    } finally {
      for (const child of children) child.kill("SIGKILL");
      receiver.close();
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
