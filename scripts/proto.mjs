/**
 * `npm run proto` lints proto/ and writes src/gateway/rpc/gen out of it; with `--check` it only says whether the folder
 * is what it would write, and with `--against <commit>` whether anything breaks clients of that commit. No network: the plugin and the well-known types come with the packages.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { GENERATOR_FLAGS, readArguments } from "./arguments.mjs";
import { runMain } from "./prepare.mjs";
import { collect, nodeBinary, ROOT, runTool } from "./tools.mjs";

const PROTO = join(ROOT, "proto");
const PLUGIN = join(ROOT, "node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es");
const GENERATED = join(ROOT, "src/gateway/rpc/gen");

const { values: flags } = readArguments({
  command: "npm run proto",
  flags: {
    ...GENERATOR_FLAGS,
    against: { takes: "<commit>", says: "fails when something breaks clients of that commit" },
  },
});

await runMain(main);

async function main() {
  if (flags.against !== undefined) return await breaking(flags.against);
  const lint = await runTool("buf", ["lint"], { cwd: PROTO });
  if (lint.code !== 0) return report(lint.output);
  if (!flags.check) return await generate(GENERATED);

  const cache = join(ROOT, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "proto-"));
  try {
    if ((await generate(folder)) !== 0) return 1;
    const expected = filesOf(folder);
    const found = filesOf(GENERATED);
    const stale = [...new Set([...expected.keys(), ...found.keys()])].filter(
      (name) => expected.get(name) !== found.get(name),
    );
    return stale.length === 0 ? 0 : report(`not what proto/ says: ${stale.join(", ")}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether clients generated at that commit still understand what is here. */
async function breaking(ref) {
  const args = ["rev-parse", "--path-format=absolute", "--git-common-dir"];
  const git = await collect(spawn("git", args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] }));
  if (git.code !== 0) throw new Error(`--against needs git: ${git.output.trim()}`);
  const against = `${git.stdout.trim()}#format=git,ref=${ref},subdir=proto`;
  const { code, output } = await runTool("buf", ["breaking", "--against", against], { cwd: PROTO });
  return code === 0 ? 0 : report(output);
}

/** The template names the folder; `-o` would only be put before it. */
async function generate(folder) {
  const template = JSON.stringify({
    version: "v2",
    clean: true,
    plugins: [{ local: [nodeBinary(), PLUGIN], out: folder, opt: ["target=ts", "import_extension=none"] }],
    inputs: [{ directory: "." }],
  });
  const { code, output } = await runTool("buf", ["generate", "--template", template], { cwd: PROTO });
  return code === 0 ? 0 : report(output);
}

/** @returns {Map<string, string>} text by path */
function filesOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(folder, path), readFileSync(path, "utf8")]));
}

function report(output) {
  process.stdout.write(output);
  return 1;
}
