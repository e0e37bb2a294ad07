/** A bundle as it is uploaded, served by plain workerd, and nothing of it left when whoever served it is gone. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { nodeBinary, ROOT } from "../../../scripts/tools.mjs";

interface Served {
  readonly url: string;
  readonly pids: readonly number[];
  readonly folder: string;
}

/** Serves literal, which has stores, in a process of its own that says so and then waits. */
const SERVER = `
  import { startLiteral } from "./bench/sides.mjs";
  const side = await startLiteral();
  const { all } = side.processes();
  console.log(JSON.stringify({ url: side.url, pids: all, folder: side.storesFolder }));
  process.on("message", () => { side.stop(); process.disconnect(); });
`;

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).map((child) => child.kill("SIGKILL")));

async function serve(): Promise<{ child: ChildProcess; served: Served }> {
  const child = spawn(nodeBinary(), ["--input-type=module", "--eval", SERVER], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  children.push(child);
  const served = await new Promise<Served>((resolve, reject) => {
    child.stdout?.once("data", (line) => resolve(JSON.parse(String(line))));
    child.once("exit", (code) => reject(new Error(`it ended with ${code}`)));
  });
  return { child, served };
}

/** Linux keeps a process's command there; elsewhere only that it lives can be asked. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function untilGone({ pids, folder }: Served): Promise<void> {
  await expect
    .poll(() => pids.filter(isAlive).length + Number(existsSync(folder)), { timeout: 20_000, interval: 50 })
    .toBe(0);
}

test.each([
  ["is told to stop", (child: ChildProcess) => child.send("stop")],
  ["is killed", (child: ChildProcess) => child.kill("SIGKILL")],
])(
  "processes and rows are gone when whoever serves %s",
  async (_, end) => {
    const { child, served } = await serve();
    expect(served.pids).toHaveLength(2);
    expect(served.pids.every(isAlive)).toBe(true);
    expect(existsSync(served.folder)).toBe(true);
    expect((await fetch(`${served.url}/api/users`)).status).toBe(401);
    end(child);
    await untilGone(served);
  },
  120_000,
);

test("what is served is what is uploaded: no path in the source knows of the benchmark", async () => {
  const { build } = await import("../../../bench/workerd/serve.mjs");
  const { modules, wrangler } = await build("wrangler.toml");
  const code = modules.map(({ source }) => source).join("\n");
  expect(wrangler.main).toBe(join(ROOT, "dist/worker.js"));
  // As minified as the upload, and without a word of what measures it.
  expect(code.split("\n").length).toBeLessThan(5_000);
  expect(code).not.toMatch(/\bbench(?:mark)?\b/i);
}, 60_000);
