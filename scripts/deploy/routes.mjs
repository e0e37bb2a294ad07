/** What the routes of a configuration say, and whether an address is local. */

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

/** `PUBLIC_URL` before a first deployment. */
export const LOCAL_ADDRESS = "http://localhost:8787";

/** Returns whether an address is of the machine itself, by which a deployed Worker answers 503, or is no address. */
export function isLocal(address) {
  if (!URL.canParse(address ?? "")) return true;
  return /^(?:(?:.+\.)?localhost\.?|127(?:\.\d+){3}|\[::1\])$/.test(new URL(address).hostname);
}

/** Returns the configuration as wrangler gets it: flat. */
export function configForWrangler(config) {
  const { env: _, ...rest } = config;
  return rest;
}
