/**
 * `npm run bench:growth`: what a call costs among a thousand, a hundred thousand and a million users. Prints a table,
 * writes `bench/results-growth.json` and `bench/results-growth.svg`, and ends with 1 when a read takes more rows among
 * more users, or a list or a get takes over 1.3 times the CPU.
 *
 *     npm run bench:growth                        about 8 minutes, and 5 GB in memory or on disk
 *     npm run bench:growth -- --quick             a tenth of the users, and fewer rounds
 *     npm run bench:growth -- --only get,list     some calls
 *     npm run bench:growth -- --sizes 1000,50000 --rounds 3 --seconds 1 --out /tmp/growth
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAtLeast, readArguments } from "../../scripts/arguments.mjs";
import { PROJECT_VARS } from "../sides.mjs";
import { projectTokens } from "../tokens.mjs";
import { build, serve } from "../workerd/serve.mjs";
import { hasWrk } from "../wrk.mjs";
import { callsFor } from "./calls.mjs";
import { figureOf } from "./figures.mjs";
import { rowsOf, timesOf } from "./measure.mjs";
import { tableOf, writeResults } from "./report.mjs";
import { populate } from "./world.mjs";

const BYTES_PER_USER = 5_000;

const { values } = readArguments({
  command: "npm run bench:growth",
  flags: {
    quick: { says: "a tenth of the users, and fewer rounds" },
    sizes: { takes: "<1000,50000>", says: "numbers of users", check: problemOfSizes },
    only: { takes: "<calls>", says: "some calls, with commas between them" },
    rounds: { takes: "<number>", says: "rounds of each call", check: isAtLeast(1) },
    seconds: { takes: "<number>", says: "how long a round takes", check: isAtLeast(0) },
    out: { takes: "<folder>", says: "where results are written; bench unless given" },
  },
});
const settings = {
  sizes: (values.sizes ?? (values.quick ? "1000,10000,100000" : "1000,100000,1000000"))
    .split(",")
    .map(Number),
  rounds: Number(values.rounds ?? (values.quick ? 3 : 9)),
  seconds: Number(values.seconds ?? 1),
  only: values.only?.split(",") ?? null,
};

process.exitCode = await main();

function problemOfSizes(value) {
  return value.split(",").map(isAtLeast(1)).find(Boolean);
}

async function main() {
  if (!hasWrk()) {
    console.error("The load is made by wrk, which is not installed here: on Debian `apt-get install wrk`.");
    return 2;
  }
  const worlds = [];
  const stop = () => worlds.map(({ server }) => server.stop());
  const interrupted = () => {
    stop();
    process.exit(130);
  };
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  try {
    const built = await build("wrangler.toml");
    const tokenOf = await projectTokens();
    for (const users of settings.sizes) worlds.push(await startWorld({ built, users, tokenOf }));
    const figures = await measure(worlds);
    const sizes = worlds.map(({ users, bytes }) => ({ users, bytes }));
    writeResults(values.out ?? "bench", { settings, sizes, figures });
    console.log(`\n${tableOf({ sizes, figures })}`);
    return figures.every(({ isKept }) => isKept) ? 0 : 1;
  } finally {
    stop();
  }
}

async function startWorld({ built, users, tokenOf }) {
  const server = await serve({ built, vars: PROJECT_VARS, bytes: users * BYTES_PER_USER });
  try {
    const startedAt = Date.now();
    await populate(server, users);
    const calls = await callsFor({ users, url: server.url, tokenOf });
    const bytes = bytesIn(server.storesFolder);
    console.log(
      `${users} users: ${Math.round(bytes / 2 ** 20)} MiB, in ${Math.round((Date.now() - startedAt) / 1000)} s`,
    );
    const asked = calls.filter(({ name }) => settings.only?.includes(name) ?? true);
    return { users, bytes, server, calls: new Map(asked.map((call) => [call.name, call])) };
  } catch (error) {
    server.stop();
    throw error;
  }
}

/** Rows of every call first: the time of the writes is measured by making thousands of rows. */
async function measure(worlds) {
  const [fewest] = worlds;
  const rows = new Map();
  for (const name of fewest.calls.keys()) {
    const each = [];
    for (const { server, calls } of worlds) each.push(await rowsOf(server, calls.get(name)));
    rows.set(name, each);
  }
  const figures = [];
  for (const [name, call] of fewest.calls) {
    const times = await timesOf(worlds, name, settings);
    const figure = figureOf(call, rows.get(name), times);
    console.log(lineOf(figure));
    figures.push(figure);
  }
  return figures;
}

function lineOf({ title, rowsRead, ms, cpuUs, ratios, isKept }) {
  const cells = ms.map(({ median }, index) => {
    const cpu = cpuUs[index] === null ? "" : `, ${Math.round(cpuUs[index].median)} us`;
    return `${rowsRead[index]} rows, ${median.toFixed(2)} ms${cpu}`;
  });
  const cpu = ratios.cpu === null ? "" : `, CPU ${ratios.cpu.median.toFixed(2)}`;
  return `${title.padEnd(36)} ${cells.join(" | ")} => ${ratios.time.median.toFixed(2)}${cpu}${isKept ? "" : " BROKEN"}`;
}

function bytesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}
