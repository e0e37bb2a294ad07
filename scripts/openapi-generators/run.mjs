/**
 * `npm run judge -- openapi-generators`: what people will do with public/openapi.json works. Two generators, openapi-typescript and
 * Hey API's, make TypeScript of it, and TypeScript 5, which most have, compiles both under `--strict`, with no library
 * skipped.
 */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureTools } from "../on-demand.mjs";
import { ensureDependencies, runMain } from "../prepare.mjs";
import { collect, nodeBinary, ROOT, toolEnvironment } from "../tools.mjs";

const DOCUMENT = join(ROOT, "public/openapi.json");

const GENERATORS = [
  {
    name: "openapi-typescript",
    entry: "openapi-typescript/bin/cli.js",
    argsFor: (folder) => [DOCUMENT, "--output", join(folder, "index.ts")],
  },
  {
    name: "@hey-api/openapi-ts",
    entry: "@hey-api/openapi-ts/bin/run.js",
    argsFor: (folder) => ["--input", DOCUMENT, "--output", folder, "--no-log-file"],
  },
];
const COMPILER = "typescript/bin/tsc";
const STRICT = [
  ...["--noEmit", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"],
  ...["--module", "esnext", "--moduleResolution", "bundler"],
];

await runMain(async () => {
  await ensureDependencies();
  const tools = await ensureTools("openapi-generators");
  for (const { name, entry, argsFor } of GENERATORS) {
    const folder = join(tools, "out", name.replace(/\W+/g, "-"));
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await run(tools, entry, argsFor(folder));
    await run(tools, COMPILER, [...STRICT, join(folder, "index.ts")]);
    process.stdout.write(`ok  ${name}: its code compiles under --strict\n`);
  }
});

async function run(tools, entry, args) {
  const options = {
    cwd: tools,
    env: { ...toolEnvironment(), CI: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  };
  const script = join(tools, "node_modules", entry);
  const { code, output } = await collect(spawn(nodeBinary(), [script, ...args], options));
  if (code !== 0) throw new Error(`${entry} failed\n${output}`);
}
