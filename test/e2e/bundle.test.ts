/** What `npm run bundle` counts: calls of functions while a module is loaded, each as often as it is made. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runScript } from "../../scripts/tools.mjs";

const folder = mkdtempSync(join(tmpdir(), "meridian-calls-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function callsOf(code: string): Promise<number> {
  const path = join(folder, "worker.js");
  writeFileSync(path, code);
  const { code: exit, output, stdout } = await runScript("scripts/calls-at-start.mjs", [path]);
  expect(exit, output).toBe(0);
  return Number(stdout);
}

const WORKER = `import { DurableObject as Base, env } from "cloudflare:workers";
  import { connect } from "cloudflare:sockets";
  function one() { return 1; }
  const two = () => one() + one();
  export class Counter extends Base { count() { return two(); } }
  export default { fetch: () => { for (let i = 0; i < 1000; i += 1) one(); return connect; } };`;

test("what is called at the start counts each time, and what waits for a request does not", async () => {
  const idle = await callsOf(WORKER);
  expect(await callsOf(`${WORKER}\nfor (let i = 0; i < 7; i += 1) one();`)).toBe(idle + 7);
  expect(await callsOf(`${WORKER}\ntwo();`)).toBe(idle + 3);
});

test("a bundle that does not load is said, and no number", async () => {
  writeFileSync(join(folder, "worker.js"), "nothing();");
  const { code, output, stdout } = await runScript("scripts/calls-at-start.mjs", [join(folder, "worker.js")]);
  expect(code).not.toBe(0);
  expect(output).toContain("nothing is not defined");
  expect(stdout).toBe("");
});
