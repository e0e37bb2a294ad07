/** `npm test`: every test, or those whose files or flags are given. Installs dependencies first when they are missing. */
import { ensureDocs } from "./docs-assets.mjs";
import { ensureDependencies, runMain } from "./prepare.mjs";
import { exitOf, spawnTool } from "./tools.mjs";

await runMain(async () => {
  await ensureDependencies();
  ensureDocs();
  return await exitOf(spawnTool("vitest", ["run", ...process.argv.slice(2)]));
});
