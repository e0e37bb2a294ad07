/**
 * Whether two configurations share anything. It reads what is there and derives nothing, so that a mistake in the
 * derivation of a stage does not hide itself.
 */
import { addressHostOf, covers, hostPatternOf, hostsOf, isLocal, routesOf } from "./routes.mjs";

/** Tables of an adopter's own making. */
const OPAQUE = new Set(["vars", "define", "alias", "env", "props", "metadata", "image_vars"]);
/** By the form of its name, so that a kind of binding that Cloudflare adds tomorrow is looked at too. */
const IDENTITY = /^(?:id|queue|dataset|namespace|pipeline|stream)$|_(?:id|name|queue)$/;
/** These say nothing about what is read or written: two systems in one account and one zone have them alike. */
const NEUTRAL = new Set(["class_name", "zone_id", "zone_name", "account_id", "store_id", "repo_name"]);
const WORKERS = new Set(["service", "script_name", "from_script"]);

/**
 * Returns the names, ids, routes and addresses that are in both configurations.
 *
 * @param {Record<string, any>} production
 * @param {Record<string, any>} staged the finished configuration of the stage
 * @param {Record<string, any>} own what the stage says for itself: it may choose to call another team's Worker, which
 *   production calls too
 * @returns {string[]} such as `database_name acme`
 */
export function sharedWith(production, staged, own = {}) {
  const taken = new Set(identitiesOf(production));
  const chosen = identitiesIn(own).filter(
    (it) => it.startsWith("Worker ") && it !== `Worker ${production.name}`,
  );
  const same = identitiesOf(staged).filter((it) => taken.has(it) && !chosen.includes(it));
  return [...new Set([...same, ...takenRoutes(production, staged)])];
}

/**
 * Routes of the stage that would get requests of production's hosts, however they are written. Cloudflare prefers a route
 * to a custom domain of the same host.
 */
function takenRoutes(production, staged) {
  const hosts = hostsOf(production);
  return routesOf(staged)
    .filter((route) => hosts.some((host) => covers(hostPatternOf(route), host)))
    .map(({ pattern }) => `route ${pattern}`);
}

function identitiesOf(config) {
  const address = config.vars?.PUBLIC_URL;
  return [
    `Worker ${config.name}`,
    ...identitiesIn(config),
    ...routesOf(config).map(({ pattern }) => `route ${pattern}`),
    ...(config.addresses ?? []).map((it) => `address ${it}`),
    ...(isLocal(address) ? [] : [`PUBLIC_URL ${addressHostOf(address)}`]),
  ];
}

function identitiesIn(value, section = "") {
  if (Array.isArray(value)) return value.flatMap((it) => identitiesIn(it, section));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, it]) => {
    if (OPAQUE.has(field)) return [];
    if (typeof it === "object" && it !== null) return identitiesIn(it, field);
    const kind = kindOf(field, value, section);
    return kind === undefined ? [] : [`${kind} ${it}`];
  });
}

/** Returns what kind of thing a field names; undefined when it names nothing that could be shared. */
function kindOf(field, table, section) {
  if (WORKERS.has(field)) return "Worker";
  // Elsewhere `name` is what the code calls a binding.
  if (field === "name") {
    const isResource = "binding" in table || section === "containers" || table.type === "workflow";
    return isResource ? "name" : undefined;
  }
  if (NEUTRAL.has(field) || !IDENTITY.test(field)) return undefined;
  return field.replace(/^(?:preview|dead_letter)_/, "");
}
