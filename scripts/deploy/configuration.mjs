/** What `wrangler.toml` says, as far as a deployment has to know it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { ownFile, stageConfig } from "../stage.mjs";
import { ROOT } from "../tools.mjs";
import { refuseLostDeadLetters } from "./dead-letters.mjs";
import { refuseUnknownKeys } from "./known-keys.mjs";
import {
  configForWrangler,
  customDomainsOf,
  deniedDomainsOf,
  hostOf,
  hostsOf,
  hostsWithoutZone,
  isLocal,
  routesOf,
} from "./routes.mjs";

/** Source: wrangler's own check, and the length of a host name's part, which a Worker at workers.dev has. */
const NAME = /^[a-z0-9_][a-z0-9_-]{0,62}$/;

/**
 * Prepares the deployment of a `wrangler.toml`.
 *
 * @param {string} toml
 * @param {{stage?: string, url?: string}} flags
 * @param {string} own the text of the stage's file, `ownFile`; empty when the stage has no file
 * @returns {{config: Record<string, any>} & Pick<import("../deployment.mjs").Options, "names" | "url" | "production">}
 *   `config` is what wrangler is to read
 * **Errors**: one line, when a file is not TOML or has an unknown key, when Cloudflare would not take the Worker's name,
 *   when dead letters would be lost, or when the stage would share something with production
 */
export function prepare(toml, { stage, url }, own = "") {
  const production = readConfiguration(toml);
  const config = stage === undefined ? production : stageConfig(production, stage, readOwn(own, stage));
  refuseInvalidName(config.name);
  refuseLostDeadLetters(config);
  return {
    config: configForWrangler(config),
    names: readNames(config),
    url: url && withoutSlash(url),
    production:
      stage === undefined
        ? undefined
        : { worker: production.name, hosts: hostsOf(production), own: hostsOf({ ...config, vars: {} }) },
  };
}

/**
 * Prepares the deployments of `wrangler.toml` and of each stage with a file, and deploys nothing.
 *
 * @returns {string} what is wrong, a line for each deployment; empty when all could be deployed
 */
export function checkFolder(folder = ROOT) {
  const read = (name) => readFileSync(join(folder, name), "utf8");
  const stages = readdirSync(folder).flatMap((name) => /^stage\.(.+)\.toml$/.exec(name)?.[1] ?? []);
  const problems = [undefined, ...stages].flatMap((stage) => {
    try {
      prepare(read("wrangler.toml"), { stage }, stage && read(ownFile(stage)));
      return [];
    } catch (error) {
      return [error.message];
    }
  });
  return [...new Set(problems)].join("\n");
}

function readOwn(text, stage) {
  const own = readToml(text, ownFile(stage));
  refuseUnknownKeys(own, ownFile(stage));
  return own;
}

function refuseInvalidName(name) {
  if (NAME.test(name)) return;
  throw new Error(
    `The name of the Worker cannot be ${JSON.stringify(name)}: it has up to 63 lower-case letters, digits, hyphens and underscores`,
  );
}

function withoutSlash(address) {
  return address.replace(/\/+$/, "");
}

/**
 * Parses `wrangler.toml`.
 *
 * @param {string} toml
 * @returns {Record<string, any>}
 * **Errors**: one line, with the place when it is not TOML, or with the key that wrangler does not know
 */
export function readConfiguration(toml) {
  const config = readToml(toml, "wrangler.toml");
  if (typeof config.name !== "string") throw new Error("wrangler.toml gives the Worker no name");
  refuseUnknownKeys(config, "wrangler.toml");
  return config;
}

function readToml(text, file) {
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${file}, line ${error.line}: ${error.message.split("\n")[0]}`);
  }
}

/**
 * Returns what a deployment has to know of a configuration.
 *
 * @param {Record<string, any>} config
 */
export function readNames(config) {
  const { producers = [], consumers = [] } = config.queues ?? {};
  const queues = [...producers, ...consumers].flatMap((it) => [it.queue, it.dead_letter_queue]);
  const databases = (config.d1_databases ?? []).filter((it) => it.database_name !== undefined);
  const domains = customDomainsOf(config);
  const denied = deniedDomainsOf(config);
  return {
    worker: config.name,
    databases: databases.map((it) => ({
      name: it.database_name,
      isMigrated: it.migrations_dir !== undefined,
    })),
    queues: [...new Set(queues.filter((name) => name !== undefined))],
    hostsWithoutZone: hostsWithoutZone(config),
    secrets: config.secrets?.required ?? [],
    domains,
    // The domain is the address of a first deployment only when it is the one there is.
    domainAddress: domains.length === 1 ? `https://${hostOf(domains[0])}` : undefined,
    ownAddress: isLocal(config.vars?.PUBLIC_URL) ? undefined : withoutSlash(config.vars.PUBLIC_URL),
    hasWorkersDev: config.workers_dev ?? routesOf(config).length === 0,
    variables: {
      // The example's queue is not fed by a deployment: its messages would pile up.
      ...(config.vars?.EVENT_EXPORTS?.includes("EXAMPLE_EXPORT") ? { EVENT_EXPORTS: "[]" } : {}),
      ...(denied === undefined ? {} : { WEBHOOK_DENIED_DOMAINS: denied }),
    },
  };
}
