/** What a developer sees after saving a file, with `npm start` running. */
import { type SpawnOptions, spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { collect, nodeBinary, toolEnvironment } from "../../scripts/tools.mjs";
import { copyProject, type StartedProject, startProject } from "../support/project-copy";

const copy = copyProject();
let server: StartedProject;
beforeAll(async () => {
  const unread = ["CORS_ORIGIN", "RATE_LIMIT_MAX", "FROBNICATE"].map((name) => `${name}=planted-value\n`);
  writeFileSync(join(copy.folder, ".dev.vars"), unread.join(""));
  server = await startProject(copy.folder);
});
afterAll(async () => {
  await server?.stop();
  copy.remove();
});

const ROUTES = join(copy.folder, "src/gateway/http/routes/operations.ts");
const LAZY_PAGE = join(copy.folder, "src/gateway/http/pages/front-page.ts");
/** Saved changes must be served within 3 s on a quiet machine. A busy one gets more: no test judges time. */
const WAIT = { timeout: 25_000, interval: 100 };

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

/** Runs a script as a deployment does, and not as `wrangler dev`. */
async function runInCopy(script: string) {
  const path = join(copy.folder, "scripts", script);
  const options: SpawnOptions = {
    cwd: copy.folder,
    env: { ...toolEnvironment(), WRANGLER_COMMAND: "deploy" },
    stdio: ["ignore", "pipe", "pipe"],
  };
  return await collect(spawn(nodeBinary(), [path], options));
}

async function textOf(path: string): Promise<string> {
  return await (await fetch(`${server.base}${path}`)).text();
}

test("a saved change of a route is served", async () => {
  expect(await textOf("/healthz")).toBe('{"status":"ok"}');
  edit(ROUTES, '{ status: "ok" }', '{ status: "changed" }');
  await vi.waitFor(async () => expect(await textOf("/healthz")).toBe('{"status":"changed"}'), WAIT);
});

test("a saved change of what is loaded on demand is served", async () => {
  expect(await textOf("/")).toContain("behind one API gateway");
  edit(LAZY_PAGE, "behind one API gateway", "behind another sentence");
  await vi.waitFor(async () => expect(await textOf("/")).toContain("behind another sentence"), WAIT);
});

test("a change that does not compile names file and line, is answered with them, and the next save is served", async () => {
  const before = server.output().length;
  edit(ROUTES, '{ status: "changed" }', '{ status: "broken" }}}');
  const line =
    readFileSync(ROUTES, "utf8")
      .split("\n")
      .findIndex((text) => text.includes("broken")) + 1;
  await vi.waitFor(
    () => expect(server.output()).toContain(`src/gateway/http/routes/operations.ts:${line}:`),
    WAIT,
  );
  await vi.waitFor(async () => {
    for (const path of ["/healthz", "/api/users"]) {
      const response = await fetch(`${server.base}${path}`, { signal: AbortSignal.timeout(5_000) });
      expect(response.status).toBe(500);
      expect(await response.text()).toContain(`src/gateway/http/routes/operations.ts:${line}:`);
    }
  }, WAIT);
  const shown = server.output().slice(before);
  expect(shown).not.toMatch(/ChildProcess|custom build `|wrangler-dist/);
  expect(shown.split("\n").length).toBeLessThan(30);
  for (const script of ["build.mjs", "bundle.mjs"]) {
    const { code, output } = await runInCopy(script);
    expect([script, code]).toEqual([script, 1]);
    expect(output).toContain(`src/gateway/http/routes/operations.ts:${line}:`);
  }
  edit(ROUTES, '{ status: "broken" }}}', '{ status: "whole again" }');
  await vi.waitFor(async () => expect(await textOf("/healthz")).toContain("whole again"), WAIT);
});

test("what the build writes starts no other build", async () => {
  const built = () => statSync(join(copy.folder, "dist/worker.js")).mtimeMs;
  const reloads = () => server.output().split("Local server updated").length;
  const before = { builtAt: built(), reloads: reloads() };
  await sleep(1_500);
  expect({ builtAt: built(), reloads: reloads() }).toEqual(before);
});

test("wrangler's table of bindings is printed once, and its table of modules is not", () => {
  expect(server.output().split("Your Worker has access to the following bindings:")).toHaveLength(2);
  expect(server.output()).toContain("env.USER_CACHE");
  expect(server.output()).not.toMatch(/Attaching additional modules|chunks\/|[┌├└│] *(?:Name|Total)/);
});

test("what npm start reads of .dev.vars and not uses is named, with what was meant", () => {
  const warning = (name: string, reason: string) => `Warning: .dev.vars: ${name} is not read: ${reason}\n`;
  expect(server.output()).toContain(warning("CORS_ORIGIN", "did you mean CORS_ORIGINS?"));
  expect(server.output()).toContain(
    warning("RATE_LIMIT_MAX", "set RATE_LIMIT_MAX in [vars] of wrangler.toml"),
  );
  expect(server.output()).toContain(
    warning("FROBNICATE", "wrangler.toml names it neither in [vars] nor as a secret"),
  );
  expect(server.output()).not.toContain("planted-value");
});
