/**
 * What it costs a request to be counted and logged, in microseconds of CPU: `npx node bench/recording.mjs`. The Worker's own
 * middleware on plain workerd, with and without; the least of several rounds of each, for other work only adds. Asserts
 * nothing: figures depend on the machine.
 */
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const REQUESTS = 20_000;
const ROUNDS = 9;
const CASES = ["bare", "counted", "scoped", "logged", "all"];

const here = dirname(fileURLToPath(import.meta.url));
const bin = join(here, "..", "node_modules", ".bin");
const folder = mkdtempSync(join(tmpdir(), "recording-bench-"));
const port = Number(process.env.PORT ?? 8931);
const base = `http://127.0.0.1:${port}`;

copyFileSync(join(here, "recording", "serve.capnp"), join(folder, "serve.capnp"));
const config = join(here, "recording", "wrangler.toml");
execFileSync(
  join(bin, "wrangler"),
  ["deploy", "--dry-run", "--config", config, "--outdir", join(folder, "bundle")],
  { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, WRANGLER_SEND_METRICS: "false" } },
);
const server = spawn(
  join(bin, "workerd"),
  ["serve", "serve.capnp", "--socket-addr", `http=127.0.0.1:${port}`],
  { cwd: folder, stdio: ["ignore", "ignore", "inherit"], detached: true },
);

try {
  await untilReady();
  const least = Object.fromEntries(CASES.map((name) => [name, Number.POSITIVE_INFINITY]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of CASES) least[name] = Math.min(least[name], await microsecondsOf(name));
  }
  const { bare, counted, scoped, logged, all } = least;
  say("a request without either", bare);
  say("counting it", counted - bare);
  say("its scope: request id, trace, configuration", scoped - bare);
  say("its line", logged - scoped);
  say("counting it and its line", all - scoped);
} finally {
  process.kill(-server.pid);
  rmSync(folder, { recursive: true, force: true });
}

async function microsecondsOf(name) {
  const start = cpuMicroseconds();
  const answer = await fetch(`${base}/${name}?count=${REQUESTS}`);
  const { answered } = await answer.json();
  if (answered !== REQUESTS) throw new Error(`${name}: ${answered} of ${REQUESTS} answered`);
  return (cpuMicroseconds() - start) / REQUESTS;
}

/** What workerd has computed so far, whatever else the machine does: in hundredths of a second, by Linux's account of it. */
function cpuMicroseconds() {
  const stat = readFileSync(`/proc/${server.pid}/stat`, "utf8");
  const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14);
  return (Number(user) + Number(system)) * 10_000;
}

async function untilReady() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await fetch(base).catch(() => null);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw new Error("workerd did not start");
}

function say(what, microseconds) {
  process.stdout.write(`${what}: ${microseconds.toFixed(1)} us\n`);
}
