/**
 * `npm run bench`: the project beside what a user would pick instead, in one run, as ratios. Prints tables, writes
 * `bench/results.json` and `bench/results.svg`, and ends with 1 when a budget is broken.
 *
 *     npm run bench                       about 25 minutes
 *     npm run bench -- --quick            about 6: fewer and shorter rounds, and the workloads that budgets are about
 *     npm run bench -- --only hot,mix     some workloads
 *     npm run bench -- --no-planet        --no-throughput, --no-upload: leaves out distances, requests a second, size
 *                                         and start-up
 *     npm run bench -- --rounds 1 --seconds 1 --out /tmp/bench    whether it runs, and no more: each warm-up and round a
 *                                         second long, and the published results stay
 */
import { isAtLeast, readArguments } from "../scripts/arguments.mjs";
import { leastStartupMs, measureUpload } from "../scripts/upload.mjs";
import { judge } from "./budgets.mjs";
import { DELAYS, measurePlanet } from "./planet.mjs";
import { tables, writeResults } from "./report.mjs";
import { startBare, startClassic, startLiteral, startProject } from "./sides.mjs";
import { measureThroughput } from "./throughput.mjs";
import { hasWrk } from "./wrk.mjs";

/**
 * What budgets are about is asked for a whole minute: leases end by the minute, so a part of one holds more or fewer asks
 * than its share; and the median of ten seconds of sign-ups, 170 draws of the primary's delay, is off by over 4 ms in one run of four.
 */
const FULL = {
  ...{ rounds: 3, seconds: 3, warmUpSeconds: 3 },
  ...{ planetSeconds: 10, planetBudgetedSeconds: 60, planetWarmUpSeconds: 6 },
};
const QUICK = {
  ...{ rounds: 3, seconds: 2, warmUpSeconds: 3 },
  ...{ planetSeconds: 6, planetBudgetedSeconds: 6, planetWarmUpSeconds: 6 },
};
const QUICK_ONLY = ["hot", "mix", "sign-up"];

const { values } = readArguments({
  command: "npm run bench",
  flags: {
    quick: { says: "fewer and shorter rounds, and the workloads that budgets are about" },
    only: { takes: "<workloads>", says: "some workloads, with commas between them" },
    "no-throughput": { says: "leaves out requests per second" },
    "no-planet": { says: "leaves out distances" },
    "no-upload": { says: "leaves out size and start-up" },
    rounds: { takes: "<number>", says: "rounds of each workload", check: isAtLeast(1) },
    seconds: { takes: "<number>", says: "how long each warm-up and round takes", check: isAtLeast(0) },
    out: { takes: "<folder>", says: "where results are written; bench unless given" },
  },
});
const settings = {
  ...(values.quick ? QUICK : FULL),
  ...(values.rounds === undefined ? {} : { rounds: Number(values.rounds) }),
  ...(values.seconds === undefined ? {} : everywhere(Number(values.seconds))),
  only: values.only?.split(",") ?? (values.quick ? QUICK_ONLY : null),
};
const say = (line) => console.log(line);

process.exitCode = await main();

async function main() {
  if (!hasWrk()) {
    console.error("The load is made by wrk, which is not installed here: on Debian `apt-get install wrk`.");
    return 2;
  }
  const skipped = [];
  // First, while nothing else runs.
  const upload = values["no-upload"] ? undefined : await measuredUpload();
  const throughput = values["no-throughput"] ? [] : await withSides(nearSides(skipped), loadNear);
  const planet = values["no-planet"]
    ? []
    : await withSides([() => startFar(startProject), () => startFar(startLiteral)], askFar);
  const budgets = judge({ throughput, planet, upload });
  writeResults(values.out ?? "bench", { settings, throughput, planet, upload, budgets, skipped });
  say(`\n${tables({ throughput, planet, budgets })}`);
  for (const line of skipped) say(line);
  return budgets.some(({ isKept }) => isKept === false) ? 1 : 0;
}

/** Sizes and calls, which are the same everywhere, and the time of a start on this machine. */
async function measuredUpload() {
  const { startBytes, uploadBytes, startCalls } = await measureUpload();
  return { startBytes, uploadBytes, startCalls, startupMs: await leastStartupMs() };
}

function everywhere(seconds) {
  return {
    ...{ seconds, warmUpSeconds: seconds },
    ...{ planetSeconds: seconds, planetBudgetedSeconds: seconds, planetWarmUpSeconds: seconds },
  };
}

function nearSides(skipped) {
  const classic = async () => {
    const { side, skipped: reason } = await startClassic();
    if (side === null) skipped.push(`The classic peer was skipped: ${reason}`);
    return side;
  };
  return [startProject, startLiteral, classic, startBare];
}

/** At a distance, with calls counted and messages delivered. */
async function startFar(start) {
  return await start({ delays: DELAYS, isCounting: true });
}

async function loadNear(sides) {
  const { rounds, seconds, warmUpSeconds, only } = settings;
  return await measureThroughput(sides, { rounds, seconds, warmUpSeconds, only, say });
}

async function askFar(sides) {
  const { planetSeconds, planetBudgetedSeconds, planetWarmUpSeconds, only } = settings;
  const timing = {
    ...{ seconds: planetSeconds, budgetedSeconds: planetBudgetedSeconds },
    warmUpSeconds: planetWarmUpSeconds,
  };
  return await measurePlanet(sides, { ...timing, only, say });
}

/** Whatever happens, what was started is stopped. */
async function withSides(starts, work) {
  const sides = [];
  const stop = async () => await Promise.all(sides.map((side) => side.stop()));
  const interrupted = async () => {
    await stop();
    process.exit(130);
  };
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  try {
    for (const start of starts) {
      const side = await start();
      if (side !== null) sides.push(side);
    }
    return await work(sides);
  } finally {
    await stop();
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", interrupted);
  }
}
