/** `npm test`: every test, or those whose files or flags are given. Installs dependencies first when they are missing. */
import { refuseSwallowed } from "./arguments.mjs";
import { ensureDocs } from "./docs-assets.mjs";
import { ensureDependencies, runMain } from "./prepare.mjs";
import { exitOf, spawnTool } from "./tools.mjs";

/** Flags of vitest that are given to `npm test`, to notice when npm kept one. */
const PROGRAM = {
  command: "npm test",
  passesOn: true,
  flags: {
    project: { takes: "<name>" },
    reporter: { takes: "<name>" },
    "test-name-pattern": { takes: "<pattern>" },
    bail: { takes: "<number>" },
    update: {},
    coverage: {},
  },
};

await runMain(async () => {
  refuseSwallowed(PROGRAM, process.argv.slice(2), process.env);
  await ensureDependencies();
  ensureDocs();
  return await exitOf(spawnTool("vitest", ["run", ...process.argv.slice(2)]));
});
