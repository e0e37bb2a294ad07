/**
 * The planet, simulated: the same bundles, with delays at the bindings. Many clients, each with a budget of its own, ask
 * at their leisure; what counts is how long an answer takes, so the machine is kept far from its limit.
 */
import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { costOf } from "./cost.mjs";
import { quantile } from "./statistics.mjs";

/** Milliseconds. The sources are named in docs/performance.md. */
export const DELAYS = {
  kvHot: { p50: 2, p99: 10 },
  kvCold: { p50: 40, p99: 150 },
  kvWrite: { p50: 40, p99: 150 },
  object: { p50: 20, p99: 80 },
  d1Replica: { p50: 10, p99: 60 },
  d1Primary: { p50: 80, p99: 250 },
  queue: { p50: 30, p99: 150 },
};

/** Between an answer and a client's next request, exponentially distributed. */
const THINK_MS = 500;
const CLIENTS = 64;
const HASHES = new Set(["login"]);

/**
 * @param {readonly import("./sides.mjs").Side[]} sides served with `DELAYS`
 * @param {{seconds: number, warmUpSeconds: number, only: readonly string[] | null, say: (line: string) => void}} options
 */
export async function measurePlanet(sides, { seconds, warmUpSeconds, only, say }) {
  const results = [];
  for (const { name, title } of sides[0].workloads.values()) {
    if (only !== null && !only.includes(name)) continue;
    const measured = {};
    for (const side of sides) {
      const workload = side.workloads.get(name);
      if (workload.isCold) await side.clearKv();
      const before = await side.counts();
      const seen = await askAll(side.url, workload, { warmUpSeconds, seconds });
      await untilDelivered(side);
      measured[side.name] = {
        cost: costOf(before, await side.counts(), seen.asked),
        p50: quantile(seen.times, 0.5),
        p99: quantile(seen.times, 0.99),
        count: seen.times.length,
        failed: seen.failed,
      };
    }
    const cells = Object.entries(measured).map(
      ([side, { p50, p99, failed }]) =>
        `${side} p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} ms${failed === 0 ? "" : ` (${failed} FAILED)`}`,
    );
    say(`${title.padEnd(28)} ${cells.join(" | ")}`);
    results.push({ name, title, sides: measured });
  }
  return results;
}

/** The consumers' work belongs to the requests that caused it. */
async function untilDelivered(side) {
  for (let attempt = 0; attempt < 300 && (await side.backlog()) > 0; attempt += 1) await sleep(100);
}

async function askAll(url, { name, requests }, { warmUpSeconds, seconds }) {
  const agent = new Agent({ keepAlive: true });
  const begin = performance.now() + warmUpSeconds * 1000;
  const end = begin + seconds * 1000;
  const seen = { times: [], failed: 0, asked: 0 };
  let number = 0;
  const numbered = (text) => text?.replaceAll("%d", String(number));
  // A hash holds a core for its whole time: two at once, as in the workload.
  const clients = HASHES.has(name) ? 2 : CLIENTS;
  const client = async (index) => {
    for (let turn = index; performance.now() < end; turn += requests.length > clients ? clients : 0) {
      await sleep(-Math.log(1 - Math.random()) * THINK_MS);
      number += 1;
      seen.asked = number;
      const asked = requests[turn % requests.length];
      const start = performance.now();
      const status = await ask(
        url,
        { ...asked, path: numbered(asked.path), body: numbered(asked.body) },
        agent,
      );
      if (start < begin || start > end) continue;
      seen.times.push(performance.now() - start);
      if (status >= 400) seen.failed += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  agent.destroy();
  return seen;
}

function ask(url, { method, path, headers, body }, agent) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    const sent = request(url + path, { method, headers: { ...headers, ...length }, agent }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
      answer.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
