/** What the routes of a configuration say: hosts, zones, custom domains, and the address that follows from them. */

/** @typedef {{pattern: string, zone_name?: string, zone_id?: string, custom_domain?: boolean}} Route */

/**
 * Returns `routes` and `route` as one list; a route that is only a pattern becomes a table.
 *
 * @returns {Route[]}
 */
export function routesOf({ routes = [], route }) {
  const all = route === undefined ? routes : [...routes, route];
  return all.map((it) => (typeof it === "string" ? { pattern: it } : it));
}

/** Returns the domains that belong to the Worker as a whole. @returns {Route[]} */
export function customDomainsOf(config) {
  return routesOf(config).filter((route) => route.custom_domain === true);
}

/** Returns the host of a pattern, without the `*` of its subdomains: `acme.com` of `*.acme.com/api/*`. */
export function hostOf({ pattern }) {
  const [host] = pattern.replace(/^https?:\/\//, "").split("/");
  return host.replace(/^\*\.?/, "").toLowerCase();
}

/** Returns the host part of a route's pattern in one spelling, with its `*`: `*.acme.com` of `https://*.ACME.com/api/*`. */
export function hostPatternOf({ pattern }) {
  return plainHost(pattern.replace(/^https?:\/\//, "").split("/")[0]);
}

/** Returns an address's host in the same spelling. A port or a dot at its end leads to the same Worker. */
export function addressHostOf(address) {
  return plainHost(new URL(address).hostname);
}

function plainHost(host) {
  return host.toLowerCase().replace(/:\d+$/, "").replace(/\.+$/, "");
}

/** Returns whether the requests of a host, or of each host of a pattern, match a host pattern. */
export function covers(hostPattern, host) {
  return hostPattern.startsWith("*") ? host.endsWith(hostPattern.slice(1)) : host === hostPattern;
}

/**
 * Returns the domains that webhooks must not lead to: those of the variable, and the zone of each route. Where a route
 * names no zone it is the route's host, because which part of a host is the zone cannot be told from its name.
 *
 * @returns {string | undefined} separated by commas; undefined when the routes add nothing to the variable
 */
export function deniedDomainsOf(config) {
  const variable = (config.vars?.WEBHOOK_DENIED_DOMAINS ?? "").split(",").map((domain) => domain.trim());
  const listed = variable.filter((domain) => domain !== "");
  const zones = routesOf(config).map((route) => route.zone_name?.toLowerCase() ?? hostOf(route));
  const all = new Set([...listed, ...zones.filter((zone) => zone !== "")]);
  return all.size === new Set(listed).size ? undefined : [...all].join(",");
}

/**
 * Returns the hosts of routes whose zone is not denied, because the route does not name it. A host of two parts is a zone
 * itself, and one below a listed domain is denied with it.
 *
 * @returns {string[]}
 */
export function hostsWithoutZone(config) {
  const listed = (config.vars?.WEBHOOK_DENIED_DOMAINS ?? "")
    .split(",")
    .map((domain) => domain.trim().toLowerCase());
  const isListed = (host) => listed.some((domain) => domain !== "" && host.endsWith(`.${domain}`));
  const hosts = routesOf(config)
    .filter((route) => route.zone_name === undefined)
    .map(hostOf);
  return [...new Set(hosts.filter((host) => host.split(".").length > 2 && !isListed(host)))];
}

/** `PUBLIC_URL` before a first deployment. */
export const LOCAL_ADDRESS = "http://localhost:8787";

/** Returns whether an address is of the machine itself, by which a deployed Worker answers 503, or is no address. */
export function isLocal(address) {
  if (!URL.canParse(address ?? "")) return true;
  return /^(?:(?:.+\.)?localhost\.?|127(?:\.\d+){3}|\[::1\])$/.test(new URL(address).hostname);
}

/** Returns the host patterns that lead to the Worker, as far as its configuration says. @returns {string[]} */
export function hostsOf(config) {
  const address = config.vars?.PUBLIC_URL;
  return [...routesOf(config).map(hostPatternOf), ...(isLocal(address) ? [] : [addressHostOf(address)])];
}

/**
 * Returns the configuration as wrangler gets it: flat, and without custom domains. Without a terminal wrangler
 * takes a domain away from another Worker, and replaces DNS records; `attachDomains` attaches them instead.
 */
export function configForWrangler(config) {
  const { route: _, env: __, ...rest } = config;
  const routes = routesOf(config);
  return {
    ...rest,
    routes: routes.filter((it) => it.custom_domain !== true),
    workers_dev: config.workers_dev ?? routes.length === 0,
  };
}
