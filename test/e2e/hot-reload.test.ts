/** What a developer sees after saving a file, with `npm start` running. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { copyProject, type StartedProject, startProject } from "../support/project-copy";

const copy = copyProject();
let server: StartedProject;
beforeAll(async () => {
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

test("a change that does not compile names file and line, and the next save is served", async () => {
  edit(ROUTES, '{ status: "changed" }', '{ status: "broken" }}}');
  const line =
    readFileSync(ROUTES, "utf8")
      .split("\n")
      .findIndex((text) => text.includes("broken")) + 1;
  await vi.waitFor(
    () => expect(server.output()).toContain(`src/gateway/http/routes/operations.ts:${line}:`),
    WAIT,
  );
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
