/**
 * `npm test`: every test, or those whose files or flags are given. Installs dependencies first when they are missing.
 *
 * The test runner now and then waits for ever while it closes a file's runtime, after the file's tests have passed. So
 * the whole suite runs in small parts, and a part that prints nothing any more is ended and run again. A failed test is
 * not run again.
 */
import { ensureDocs } from "./docs-assets.mjs";
import { ensureDependencies, runMain } from "./prepare.mjs";
import { descendantsOf, signalAll } from "./process-tree.mjs";
import { exitOf, spawnTool } from "./tools.mjs";

const SHARDS = 30;
const ATTEMPTS_MAX = 5;

await runMain(async () => {
  await ensureDependencies();
  ensureDocs();
  const flags = process.argv.slice(2);
  if (flags.length > 0) return await exitOf(spawnTool("vitest", ["run", ...flags]));
  const parts = Array.from({ length: SHARDS }, (_, index) => ({
    flags: ["--project", "workerd", "--shard", `${index + 1}/${SHARDS}`],
    silenceSecondsMax: 90,
  }));
  parts.push({ flags: ["--project", "e2e"], silenceSecondsMax: 240 });
  const failed = [];
  for (const part of parts) {
    if ((await runPart(part)) !== 0) failed.push(part.flags.join(" "));
  }
  const verdict = failed.length === 0 ? "all tests passed" : `failed: ${failed.join("; ")}`;
  process.stdout.write(`\n${parts.length} parts, ${verdict}\n`);
  return failed.length === 0 ? 0 : 1;
});

/** @returns {Promise<number>} the part's exit code; that of the last attempt when it fell silent each time */
async function runPart({ flags, silenceSecondsMax }) {
  for (let attempt = 1; ; attempt += 1) {
    const child = spawnTool("vitest", ["run", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    let spokeAt = Date.now();
    let isSilent = false;
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      from.on("data", (text) => {
        spokeAt = Date.now();
        to.write(text);
      });
    }
    const watch = setInterval(() => {
      if (Date.now() - spokeAt < silenceSecondsMax * 1000) return;
      isSilent = true;
      signalAll([child.pid, ...descendantsOf(child.pid)], "SIGKILL");
    }, 1000);
    const code = await exitOf(child);
    clearInterval(watch);
    if (!isSilent || attempt >= ATTEMPTS_MAX) return isSilent ? 1 : code;
    process.stdout.write(`\n${flags.join(" ")}: silent for ${silenceSecondsMax} s, once more\n`);
  }
}
