/** The accounts that a deployment works on: yours at Cloudflare, or none at all. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { newSecret } from "../prepare.mjs";
import { readSecretFile, writeSecretFile } from "../secret-file.mjs";
import { ROOT, runTool, toolEnvironment } from "../tools.mjs";
import { cloudflareApi } from "./cloudflare-api.mjs";
import { PRODUCTION } from "./flags.mjs";

/** Three minutes, because a new custom domain waits for its certificate. */
const READY_TRIES = 90;
const READY_PAUSE_MS = 2_000;

/**
 * Returns the account that wrangler is logged in to.
 *
 * @param {string} stage
 * @param {string | undefined} accountId `account_id` of the configuration
 * @returns {import("../deployment.mjs").Account}
 */
export function cloudflareAccount(stage, accountId) {
  const wrangler = (args) => runTool("wrangler", args, { env: unattended(stage), detached: isWayBack(args) });
  return {
    wrangler,
    api: cloudflareApi(wrangler, accountId),
    secretsFile: (missing) => keepSecrets(join(ROOT, `.deploy-secrets.${stage}.json`), missing),
    isReady,
    say,
  };
}

/** A second Ctrl-C ends the children of the terminal's group too. It must not end the way back of a rollout. */
function isWayBack([command]) {
  return command === "rollback" && process.platform !== "win32";
}

/**
 * Returns an account that has nothing yet, and is not called: every step is shown, and only the build is real.
 *
 * @returns {import("../deployment.mjs").Account}
 */
export function noAccount(stage, worker) {
  let built;
  return {
    async wrangler(args) {
      const absent = { code: 1, output: `Worker "${worker}" not found` };
      // A look at another Worker is one at production, by a stage: it is not taken, and so not shown.
      if (args.includes("--name")) return absent;
      say(`  wrangler ${args.map((it) => (/[\s"[\]]/.test(it) ? `'${it}'` : it)).join(" ")}`);
      if (["info", "list", "status"].includes(args[1])) return absent;
      if (args[0] !== "deploy") return { code: 0, output: "" };
      built ??= runTool("wrangler", [...withoutSecretsFile(args), "--dry-run"]);
      const { code, output } = await built;
      return { code, output: `${output}\nhttps://${worker}.your-subdomain.workers.dev` };
    },
    async api(method, path, body) {
      say(`  ${method} ${path}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`);
      return {};
    },
    secretsFile: () => `.deploy-secrets.${stage}.json`,
    isReady: async () => true,
    say,
  };
}

function withoutSecretsFile(args) {
  return args.filter((it, index) => it !== "--secrets-file" && args[index - 1] !== "--secrets-file");
}

/**
 * Makes the secrets that the file does not have yet. They stay where only this user reads them: a Worker does not give
 * its secrets back, and rotation of the keys, scrapers and consumers need them.
 */
function keepSecrets(path, missing) {
  const kept = JSON.parse(readSecretFile(path) ?? "{}");
  for (const name of missing) kept[name] ??= newSecret(name);
  writeSecretFile(path, `${JSON.stringify(kept, null, 2)}\n`);
  say(`The secrets are in ${path}: move them to where you keep such things.`);
  return path;
}

/**
 * Returns the environment in which wrangler asks nothing: what it would ask is answered by its default. Workers Builds
 * names the Worker that its project belongs to, and wrangler deploys to that one, whatever the configuration says: a
 * stage would replace production. So that variable is left out.
 */
export function unattended(stage) {
  const environment = { ...toolEnvironment(), CI: "true", NO_COLOR: "1" };
  delete environment.WRANGLER_CI_OVERRIDE_NAME;
  // It lets a build deploy only its project's Worker. Production keeps that guard.
  if (stage !== PRODUCTION) delete environment.WRANGLER_CI_MATCH_TAG;
  return environment;
}

async function isReady(url) {
  for (let tries = 0; tries < READY_TRIES; tries += 1) {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
    await response?.body?.cancel();
    if (response?.status === 200) return true;
    await sleep(READY_PAUSE_MS);
  }
  return false;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
