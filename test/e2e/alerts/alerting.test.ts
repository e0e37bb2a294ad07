/**
 * A fault of the real Worker reaches the operators by the real tools: Prometheus and Alertmanager as Debian packages them
 * (`apt-get install prometheus prometheus-alertmanager`). Without them this is skipped.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../../scripts/tools.mjs";
import { isInstalled } from "../../support/prometheus/installed";
import { freePort, KillableServer } from "../../support/prometheus/killable-server";
import { TEST_SECRETS } from "../../support/secrets";

const hasTools = isInstalled("prometheus") && isInstalled("prometheus-alertmanager");
let server: KillableServer;
let people = 0;

describe.skipIf(!hasTools)("with Prometheus and Alertmanager", () => {
  beforeAll(async () => {
    server = new KillableServer();
    await server.open({ CONSUMER_BACKOFF_SECONDS: "1", CONSUMER_ATTEMPTS_MAX: "100" });
  }, 120_000);
  afterAll(async () => await server.close());

  test("the operators' webhook receives an alert when a consumer throws, and its end", {
    timeout: 180_000,
  }, async () => {
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
  });
});

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

interface Alert {
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
}

/** The operators' webhook: keeps the alerts that Alertmanager sends. */
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

/** Copies the committed configuration with seconds in place of minutes, so that a short fault is noticed. */
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
