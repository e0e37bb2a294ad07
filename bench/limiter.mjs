/**
 * Measures the limiter on plain workerd: `node bench/limiter.mjs`. Prints grants a second of one object, alone and
 * side by side, and decisions a second of the isolate's memory. Asserts nothing: figures depend on the machine.
 */
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const bin = join(here, "..", "node_modules", ".bin");
const folder = mkdtempSync(join(tmpdir(), "limiter-bench-"));
const port = Number(process.env.PORT ?? 8930);
const base = `http://127.0.0.1:${port}`;

mkdirSync(join(folder, "objects"));
copyFileSync(join(here, "limiter", "serve.capnp"), join(folder, "serve.capnp"));
execFileSync(
  join(bin, "wrangler"),
  [
    "deploy",
    "--dry-run",
    "--config",
    join(here, "limiter", "wrangler.toml"),
    "--outdir",
    join(folder, "bundle"),
  ],
  { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, WRANGLER_SEND_METRICS: "false" } },
);
const server = spawn(
  join(bin, "workerd"),
  ["serve", "serve.capnp", "--socket-addr", `http=127.0.0.1:${port}`],
  {
    cwd: folder,
    stdio: "inherit",
    detached: true,
  },
);

try {
  await untilReady();
  await fetch(`${base}/decisions?count=200000`);
  await measure("decisions, from the isolate's memory", "/decisions?count=2000000", 2_000_000);
  await fetch(`${base}/grants?count=200`);
  await measure("grants, one after the other", "/grants?count=2000&key=user:a", 2_000);
  await measure("grants, 32 side by side", "/grants?count=6400&side=32&key=user:b", 6_400);
} finally {
  process.kill(-server.pid);
  rmSync(folder, { recursive: true, force: true });
}

async function measure(what, path, count) {
  const start = process.hrtime.bigint();
  const answer = await fetch(base + path);
  const text = await answer.text();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const isWhole = answer.ok && Number(text) === count;
  console.log(
    `${what}: ${Math.round(count / seconds).toLocaleString("en")} a second${isWhole ? "" : ` (${answer.status} ${text})`}`,
  );
}

async function untilReady() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await fetch(base).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("workerd did not start");
}
