/**
 * `npm run client` writes the client's types out of public/openapi.json and builds the package into client/dist, as it
 * is published; with `--check` it says whether the types are what it would write, whether the client builds with the
 * TypeScript of most who will use it, and whether it is still small.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { GENERATOR_FLAGS, readArguments } from "./arguments.mjs";
import { runMain } from "./prepare.mjs";
import { collect, nodeBinary, ROOT, toolEnvironment } from "./tools.mjs";

const CLIENT = join(ROOT, "client");
const TYPES = join(CLIENT, "src/gen/api.ts");
/** Generators need the compiler API of TypeScript 5, which the client has beside it. */
const GENERATOR = join(CLIENT, "node_modules/openapi-typescript/bin/cli.js");
const COMPILER = join(CLIENT, "node_modules/typescript/bin/tsc");
const GZIPPED_BYTES_MAX = 5 * 1024;

const { values: flags } = readArguments({ command: "npm run client", flags: GENERATOR_FLAGS });

await runMain(async () => {
  const isCheck = flags.check === true;
  const folder = mkdtempSync(join(tmpdir(), "meridian-client-"));
  try {
    const generated = join(folder, "api.ts");
    await run(GENERATOR, [join(ROOT, "public/openapi.json"), "--output", generated]);
    const text = readFileSync(generated, "utf8");
    if (!isCheck) writeFileSync(TYPES, text);
    else if (readFileSync(TYPES, "utf8") !== text)
      throw new Error("client/src/gen/api.ts is not what the document says");
    await run(COMPILER, isCheck ? ["--noEmit", "--emitDeclarationOnly", "false"] : []);
    return await bundle(isCheck ? folder : join(CLIENT, "dist"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function bundle(folder) {
  const outfile = join(folder, "index.js");
  const entryPoints = [join(CLIENT, "src/index.ts")];
  await build({ entryPoints, outfile, bundle: true, format: "esm", target: "es2022", minify: true });
  const bytes = gzipSync(readFileSync(outfile)).length;
  process.stdout.write(`@meridian/client: ${bytes} bytes gzipped, at most ${GZIPPED_BYTES_MAX}\n`);
  return bytes <= GZIPPED_BYTES_MAX ? 0 : 1;
}

async function run(script, args) {
  const options = { cwd: CLIENT, env: toolEnvironment(), stdio: ["ignore", "pipe", "pipe"] };
  const { code, output } = await collect(spawn(nodeBinary(), [script, ...args], options));
  if (code !== 0) throw new Error(output);
}
