/**
 * `npm run judge -- <name> [flags]`: the checks that take minutes, need a running server, or install tools of their own.
 * CI runs a short form of each. Without a name it lists them. Flags go on to the judge.
 */
import { refuseSwallowed } from "./arguments.mjs";
import { ensureDependencies, runMain } from "./prepare.mjs";
import { exitOf, spawnScript, spawnTool, toolEnvironment } from "./tools.mjs";

const inherit = { stdio: "inherit" };
const script = (path) => (args) => spawnScript(path, args, inherit);
const vitest =
  (files, env = {}) =>
  (args) =>
    spawnTool("vitest", ["run", ...files, ...args], { env: { ...toolEnvironment(), ...env } });

/** Tests of the project that `npm test` leaves out: see vitest.config.ts. */
const judged = (folder) => vitest(["--project", "judge", folder], { JUDGE: "yes" });

/** @type {Readonly<Record<string, {says: string, run: (args: readonly string[]) => import("node:child_process").ChildProcess}>>} */
const JUDGES = {
  kills: {
    says: "kills the server under load, 20 times unless --kills 200, and counts what is left; --seed n repeats a run",
    run: script("test/faults/kills/run.mjs"),
  },
  properties: {
    says: "the limiter's schedules and the cache's histories in full: 10,000 and 5,000 of them",
    run: vitest(
      [
        "test/unit/platform/limiter/lease-schedules.test.ts",
        "test/unit/services/users/user-cache-model.test.ts",
      ],
      { TEST_RUNS: "long" },
    ),
  },
  bench: {
    says: "tests of the benchmark itself: what it serves, asks, counts and prints",
    run: judged("test/e2e/bench"),
  },
  alerts: {
    says: "the alert rules' own tests by promtool, and an alert that Prometheus and Alertmanager send and resolve",
    run: judged("test/e2e/alerts"),
  },
  "openapi-answers": {
    says: "every answer of the running server against public/openapi.json, by Stoplight's Prism; --url, --brief",
    run: script("scripts/openapi-judge/run.mjs"),
  },
  "openapi-lint": {
    says: "Redocly's and Spectral's rules over public/openapi.json",
    run: script("scripts/openapi-lint/run.mjs"),
  },
  "openapi-generators": {
    says: "two generators make TypeScript of public/openapi.json, and it compiles under --strict",
    run: script("scripts/openapi-generators/run.mjs"),
  },
};

/** Flags of the judges, to notice when npm kept one. */
const PROGRAM = {
  command: "npm run judge",
  passesOn: true,
  operands: ["<name>"],
  flags: {
    kills: { takes: "<number>" },
    seed: { takes: "<number>" },
    url: { takes: "<address>" },
    brief: {},
  },
};

await runMain(async () => {
  refuseSwallowed(PROGRAM, process.argv.slice(2), process.env);
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === "--help" || name === "-h") {
    process.stdout.write(list());
    return 0;
  }
  if (!Object.hasOwn(JUDGES, name))
    throw new Error(`There is no judge ${name}. Names: ${names().join(", ")}`);
  await ensureDependencies();
  const child = JUDGES[name].run(args);
  // Ctrl-C reaches both. The judge ends in its own way, and its exit code is this one's.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return await exitOf(child);
});

function names() {
  return Object.keys(JUDGES);
}

function list() {
  const width = Math.max(...names().map((name) => name.length));
  const lines = Object.entries(JUDGES).map(([name, { says }]) => `  ${name.padEnd(width)}  ${says}`);
  return `npm run judge -- <name> [flags]\n\n${lines.join("\n")}\n`;
}
