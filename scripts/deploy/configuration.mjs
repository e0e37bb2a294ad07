/** What `wrangler.toml` says, as far as a deployment has to know it. */
import { parse } from "smol-toml";
import { ownFile, stageConfig } from "../stage.mjs";
import {
  configForWrangler,
  customDomainsOf,
  deniedDomainsOf,
  hostOf,
  hostsOf,
  isLocal,
  routesOf,
} from "./routes.mjs";

/**
 * Prepares the deployment of a `wrangler.toml`.
 *
 * @param {string} toml
 * @param {{stage?: string, url?: string}} flags
 * @param {string} own the text of the stage's file, `ownFile`; empty when the stage has no file
 * @returns {{config: Record<string, any>} & Pick<import("../deployment.mjs").Options, "names" | "url" | "production">}
 *   `config` is what wrangler is to read
 * **Errors**: one line, when the file is not TOML, or the stage would share something with production
 */
export function prepare(toml, { stage, url }, own = "") {
  const production = readConfiguration(toml);
  const config =
    stage === undefined ? production : stageConfig(production, stage, readToml(own, ownFile(stage)));
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

function withoutSlash(address) {
  return address.replace(/\/+$/, "");
}

/**
 * Parses `wrangler.toml`.
 *
 * @param {string} toml
 * @returns {Record<string, any>}
 * **Errors**: one line, with the place when it is not TOML
 */
export function readConfiguration(toml) {
  const config = readToml(toml, "wrangler.toml");
  if (typeof config.name !== "string") throw new Error("wrangler.toml gives the Worker no name");
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
