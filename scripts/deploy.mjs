/**
 * `npm run deploy`: the whole system on your account. Creates what is missing, sets the secrets that are missing,
 * migrates, deploys, waits for /readyz and says the address. Its flags are in deploy/flags.mjs.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readArguments } from "./arguments.mjs";
import { cloudflareAccount, noAccount } from "./deploy/account.mjs";
import { readCommit, versionFlags } from "./deploy/commit.mjs";
import { DEPLOY, PRODUCTION } from "./deploy/flags.mjs";
import { ensureDocs } from "./docs-assets.mjs";
import { ensureDependencies, runMain } from "./prepare.mjs";
import { ROOT } from "./tools.mjs";

const { values: flags } = readArguments(DEPLOY);

await runMain(async () => {
  const isDry = flags["dry-run"] === true;
  // Before the installation, which takes a minute. A dry run records nothing, and so may be dirty.
  const version = versionFlags(await readCommit(), isDry || flags.dirty === true);
  await ensureDependencies();
  ensureDocs();
  const { prepare } = await import("./deploy/configuration.mjs");
  const { deploy } = await import("./deployment.mjs");
  const { gradualPlan } = await import("./rollout.mjs");
  const { ownFile } = await import("./stage.mjs");
  // A deployment migrates before it deploys, whether or not `npm run check` was run.
  const { guardFolder } = await import("./migration-guard.mjs");
  const [breach] = guardFolder();
  if (breach !== undefined) throw new Error(`migrations/${breach}\n  docs/operations.md says what to do.`);
  const stage = flags.stage ?? PRODUCTION;
  const { config, ...options } = prepare(read("wrangler.toml"), flags, read(ownFile(stage)));
  const { checkDeployedVariables } = await import("./variables.mjs");
  for (const warning of await checkDeployedVariables(config)) process.stdout.write(`${warning}\n`);
  const file = `wrangler.${stage}.json`;
  const isNew = !existsSync(join(ROOT, file));
  writeFileSync(join(ROOT, file), `${JSON.stringify(config, null, 2)}\n`);
  try {
    const account = isDry ? noAccount(stage, config.name) : cloudflareAccount(stage, config.account_id);
    // An empty environment is the top level of the file, whatever CLOUDFLARE_ENV says.
    const plan = flags.gradual ? gradualPlan(account, config, flags.watch) : undefined;
    const address = await deploy(account, {
      ...options,
      version,
      plan,
      config: ["--config", file, "--env="],
    });
    account.say(isDry ? "Dry run: nothing was changed." : `${config.name} runs at ${address}`);
  } finally {
    if (isDry && isNew) rmSync(join(ROOT, file));
  }
  return 0;
});

/** Returns the text of a file of the project; an empty text when the file does not exist. */
function read(name) {
  const path = join(ROOT, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
