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

/**
 * How many ask at the same time, and how long a client rests between an answer and its next request: exponentially
 * distributed. A write takes more of the machine, and a hash holds a core for its whole time.
 */
const PACES = {
  read: { clients: 48, thinkMs: 300 },
  write: { clients: 12, thinkMs: 600 },
  hash: { clients: 2, thinkMs: 600 },
};

/**
 * What budgets are about is asked of a Worker that has run for a while: leases, which grow with demand, have grown by
 * then, and what is read for the first time is a share of the mix and not its beginning.
 */
const BUDGETED = new Set(["hot", "mix", "sign-up"]);
const BUDGETED_WARM_UP_SECONDS = 40;

/**
 * @param {readonly import("./sides.mjs").Side[]} sides served with `DELAYS`
 * @param {{seconds: number, budgetedSeconds: number, warmUpSeconds: number, only: readonly string[] | null, say: (line: string) => void}} options
 */
export async function measurePlanet(sides, { seconds, budgetedSeconds, warmUpSeconds, only, say }) {
  const results = [];
  for (const { name, title } of sides[0].workloads.values()) {
    if (only !== null && !only.includes(name)) continue;
    const measured = {};
    for (const side of sides) {
      const workload = side.workloads.get(name);
      if (workload.isCold) await side.clearKv();
      const timing = BUDGETED.has(name)
        ? { warmUpSeconds: BUDGETED_WARM_UP_SECONDS, seconds: budgetedSeconds }
        : { warmUpSeconds, seconds };
      const seen = await askAll(side, workload, timing);
      const after = await side.counts();
      measured[side.name] = {
        cost: costOf(seen.before, after, seen.asked),
        p50: quantile(seen.times, 0.5),
        p99: quantile(seen.times, 0.99),
        count: seen.times.length,
        // A batch that its consumer failed at left its work out of the cost.
        failed: seen.failed + after.queueFailures - seen.before.queueFailures,
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

/** What is counted begins with the warm-up's end, and ends when the consumers are done. */
async function askAll(side, { requests, pace }, { warmUpSeconds, seconds }) {
  const agent = new Agent({ keepAlive: true });
  const begin = performance.now() + warmUpSeconds * 1000;
  const end = begin + seconds * 1000;
  const seen = { times: [], failed: 0, asked: 0, before: {} };
  const { clients, thinkMs } = PACES[pace];
  let number = 0;
  const client = async (index) => {
    for (let turn = index; performance.now() < end; turn += clients) {
      await sleep(-Math.log(1 - Math.random()) * thinkMs);
      number += 1;
      const asked = numbered(requests[ofClient(turn, index, requests.length, clients)], number);
      const start = performance.now();
      const status = await ask(side.url, asked, agent);
      if (start < begin) continue;
      seen.asked += 1;
      seen.times.push(performance.now() - start);
      if (status >= 400) seen.failed += 1;
    }
  };
  const counting = sleep(warmUpSeconds * 1000).then(async () => {
    seen.before = await side.counts();
  });
  await Promise.all([counting, ...Array.from({ length: clients }, (_, index) => client(index))]);
  agent.destroy();
  await untilDelivered(side);
  return seen;
}

/** A client stays who it is: it repeats its own request, or of a long list those that are its own. */
function ofClient(turn, index, count, clients) {
  return count > 2 * clients ? turn % count : index % count;
}

function numbered(asked, number) {
  const filled = (text) => text?.replaceAll("%d", String(number));
  return { ...asked, path: filled(asked.path), body: filled(asked.body) };
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
