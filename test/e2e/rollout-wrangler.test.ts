/** What a rollout asks of wrangler, and what it reads of its answers, with the real wrangler before a played Cloudflare. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runner } from "../../scripts/deploy/runner.mjs";
import {
  refuseObjectMigration,
  rollBack,
  servingVersions,
  split,
  uploadVersion,
} from "../../scripts/rollout/versions.mjs";
import { collect, nodeBinary, ROOT, runTool, toolEnvironment } from "../../scripts/tools.mjs";
import { playCloudflare } from "../support/play-cloudflare";
import { NEW, OLD } from "../support/play-rollout";

let cloudflare: Awaited<ReturnType<typeof playCloudflare>>;
let folder: string;
let run: ReturnType<typeof runner>;
let env: ReturnType<typeof toolEnvironment>;

const CONFIG = {
  name: "meridian",
  main: "worker.js",
  compatibility_date: "2026-10-20",
  durable_objects: { bindings: [{ name: "COUNTER", class_name: "Counter" }] },
};
const WORKER = `import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {}
export default { fetch: () => new Response("it") };`;

beforeAll(async () => {
  cloudflare = await playCloudflare({ running: OLD, uploads: NEW, migrationTag: "v1" });
  folder = await mkdtemp(join(tmpdir(), "rollout-"));
  await writeFile(join(folder, "worker.js"), WORKER);
  env = {
    ...toolEnvironment(),
    ...{ CI: "true", NO_COLOR: "1", CLOUDFLARE_API_BASE_URL: cloudflare.url },
    ...{ CLOUDFLARE_API_TOKEN: "t", CLOUDFLARE_ACCOUNT_ID: "acc" },
  };
  const account = {
    wrangler: (args: readonly string[]) => runTool("wrangler", args, { env }),
    ...{ api: async () => ({}), secretsFile: () => "", isReady: async () => true, say: () => undefined },
  };
  await configure("v1");
  run = runner(account, ["--config", join(folder, "wrangler.json")]);
});

afterAll(async () => {
  await cloudflare.stop();
  await rm(folder, { recursive: true });
});

/** Writes a configuration whose object migrations go up to a tag. */
async function configure(...tags: string[]) {
  const migrations = tags.map((tag, index) => ({ tag, new_sqlite_classes: index === 0 ? ["Counter"] : [] }));
  await writeFile(join(folder, "wrangler.json"), JSON.stringify({ ...CONFIG, migrations }));
}

test("a version is uploaded, found by its id, deployed at 0 % beside the old one, and taken back", async () => {
  expect(await servingVersions(run)).toEqual([{ id: OLD, percent: 100 }]);
  expect(await uploadVersion(run, ["--tag", "abc"], "v1")).toBe(NEW);
  await split(run, { running: OLD, next: NEW, percent: 0 });
  expect(await servingVersions(run)).toEqual([{ id: OLD, percent: 100 }]);
  await split(run, { running: OLD, next: NEW, percent: 10, isWatched: true });
  expect(await servingVersions(run)).toEqual([
    { id: OLD, percent: 90 },
    { id: NEW, percent: 10 },
  ]);
  expect(await rollBack(run, OLD, "more requests fail")).toBe(true);
  const sent = cloudflare.posted.map(({ versions, code_update_strategy }) => ({
    versions: versions.map(({ version_id, percentage }) => [version_id, percentage]),
    mode: (code_update_strategy as { mode: string }).mode,
  }));
  expect(sent).toEqual([
    {
      versions: [
        [NEW, 0],
        [OLD, 100],
      ],
      mode: "deferred",
    },
    {
      versions: [
        [NEW, 10],
        [OLD, 90],
      ],
      mode: "immediate",
    },
    { versions: [[OLD, 100]], mode: "immediate" },
  ]);
});

test("an object migration that is new is found, before the upload and by it", async () => {
  await refuseObjectMigration(run, OLD, "v1");
  await expect(refuseObjectMigration(run, OLD, "v2")).rejects.toThrow("Object migration v2 is new");
  await configure("v1", "v2");
  await expect(uploadVersion(run, [], "v2")).rejects.toThrow("Object migration v2 is new");
});

test("Ctrl-C, and Ctrl-C again, end neither the rollout nor its way back", async () => {
  await configure("v1");
  const script = `import { cloudflareAccount } from "./scripts/deploy/account.mjs";
    import { MEANS } from "./scripts/rollout/means.mjs";
    await MEANS.interruptible(async (interrupted) => {
      process.kill(process.pid, "SIGINT");
      const reason = await MEANS.sleep(60_000, interrupted).catch(() => interrupted.reason.message);
      const args = ["rollback", "${OLD}", "--message", "back", "--yes", "--config", process.argv[1]];
      const { code } = await cloudflareAccount("production").wrangler(args);
      console.log(reason, "code", code);
    });`;
  const args = ["--input-type=module", "-e", script, join(folder, "wrangler.json")];
  // In a group of its own, as a terminal has it: Ctrl-C goes to each process of the group.
  const child = spawn(nodeBinary(), args, {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  cloudflare.posted.length = 0;
  cloudflare.whenCalled = () => process.kill(-(child.pid ?? 0), "SIGINT");
  const { code, stdout } = await collect(child);
  expect(stdout).toContain("Stopped by Ctrl-C. code 0");
  expect(code).toBe(0);
  expect(cloudflare.posted).toHaveLength(1);
});
