/**
 * `npm run deploy`: the whole system on your account. Creates what is missing, sets the secrets that are missing,
 * migrates, deploys, waits for /readyz and says the address. Its flags are in deploy/flags.mjs.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readArguments } from "./arguments.mjs";
import { readCommit, versionFlags } from "./deploy/commit.mjs";
import { DEPLOY } from "./deploy/flags.mjs";
import { deploy, readNames, stageConfig } from "./deployment.mjs";
import { ensureDocs } from "./docs-assets.mjs";
import { ensureDependencies, newSecret, runMain } from "./prepare.mjs";
import { writeSecretFile } from "./secret-file.mjs";
import { ROOT, runTool, toolEnvironment } from "./tools.mjs";

const READY_TRIES = 30;
const READY_PAUSE_MS = 2_000;

const { values: flags } = readArguments(DEPLOY);

await runMain(async () => {
  const isDry = flags["dry-run"] === true;
  // Before the installation, which takes a minute. A dry run records nothing, and so may be dirty.
  const version = versionFlags(await readCommit(), isDry || flags.dirty === true);
  await ensureDependencies();
  ensureDocs();
  const { toml, config, stage } = configuration(flags.stage);
  const names = readNames(toml);
  const account = isDry ? noAccount(stage, names.worker) : cloudflareAccount(stage);
  const address = await deploy(account, { names, config, version, url: flags.url?.replace(/\/+$/, "") });
  say(isDry ? "Dry run: nothing was changed." : `Meridian runs at ${address}`);
  return 0;
});

/** The project's own file, or one beside it for another stage: paths in it are relative. */
function configuration(stage) {
  const toml = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  if (stage === undefined) return { toml, config: [], stage: "production" };
  const file = `wrangler.${stage}.toml`;
  const staged = stageConfig(toml, stage);
  writeFileSync(join(ROOT, file), `# Written by npm run deploy -- --stage ${stage}.\n${staged}`);
  return { toml: staged, config: ["--config", file], stage };
}

function cloudflareAccount(stage) {
  return {
    wrangler: (args) => runTool("wrangler", args, { env: unattended() }),
    secretsFile: (missing) => keepSecrets(join(ROOT, `.deploy-secrets.${stage}.json`), missing),
    isReady,
    say,
  };
}

/** Nothing is asked and nothing is changed: an account that has nothing yet. Only the build is real. */
function noAccount(stage, worker) {
  const looksFirst = (args) => args.includes("info") || args.includes("list");
  return {
    async wrangler(args) {
      say(`  wrangler ${args.map((it) => (/[\s"[\]]/.test(it) ? `'${it}'` : it)).join(" ")}`);
      if (looksFirst(args)) return { code: 1, output: "" };
      if (args[0] !== "deploy") return { code: 0, output: "" };
      const plain = args.filter(
        (it, index) => it !== "--secrets-file" && args[index - 1] !== "--secrets-file",
      );
      const { code, output } = await runTool("wrangler", [...plain, "--dry-run"]);
      return { code, output: `${output}\nhttps://${worker}.your-subdomain.workers.dev` };
    },
    secretsFile: () => `.deploy-secrets.${stage}.json`,
    isReady: async () => true,
    say,
  };
}

/**
 * Fresh secrets, kept where only this user reads them: a Worker does not give its secrets back, and rotation of the
 * keys, scrapers and consumers need them.
 */
function keepSecrets(path, missing) {
  const kept = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  for (const name of missing) kept[name] ??= newSecret(name);
  writeSecretFile(path, `${JSON.stringify(kept, null, 2)}\n`);
  say(`The secrets are in ${path}: move them to where you keep such things.`);
  return path;
}

/** Without questions: what would be asked is answered by its default. */
function unattended() {
  return { ...toolEnvironment(), CI: "true", NO_COLOR: "1" };
}

async function isReady(url) {
  for (let tries = 0; tries < READY_TRIES; tries += 1) {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
    if (response?.status === 200) return true;
    await sleep(READY_PAUSE_MS);
  }
  return false;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
