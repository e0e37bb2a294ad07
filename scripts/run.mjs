/**
 * `node scripts/run.mjs <script or tool> [arguments]`: installs the dependencies when they are missing, and runs one of the
 * project's scripts or tools under the Node of `node_modules`. For npm scripts that could not even load before: those that
 * import packages or TypeScript, and tools themselves.
 */
import { ensureDependencies, runMain } from "./prepare.mjs";
import { exitOf, spawnScript, spawnTool } from "./tools.mjs";

await runMain(async () => {
  const [target = "", ...args] = process.argv.slice(2);
  await ensureDependencies();
  const options = { stdio: "inherit" };
  const child = target.endsWith(".mjs")
    ? spawnScript(target, args, options)
    : spawnTool(target, args, options);
  // Ctrl-C reaches both. The child ends in its own way, and its exit code is this one's.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return await exitOf(child);
});
