/** The names under which a request is counted and logged: few, whatever clients send. */
import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import type { GatewayEnv } from "../request-context";

export type Protocol = "rest" | "graphql" | "connect";

export function protocolOf(path: string): Protocol {
  if (/^\/graphql(?:\/|$)/.test(path)) return "graphql";
  return /^\/rpc(?:\/|$)/.test(path) ? "connect" : "rest";
}

/**
 * The pattern of the route that answers or, had nothing refused before, would have: `/api/users/:id`. Middleware is
 * registered for every method and mostly under a wildcard, so neither is taken for a route. A known RPC method is its
 * own path, an unknown one or one refused before is `/rpc/*`. `unmatched` for the rest. To be asked once the answer is
 * there: it is found once.
 */
export function routeOf(c: Context<GatewayEnv>): string {
  const known = c.get("route");
  if (known !== undefined) return known;
  const route = findRoute(c);
  c.set("route", route);
  return route;
}

function findRoute(c: Context<GatewayEnv>): string {
  const operation = c.get("operation");
  if (operation !== undefined) return operation;
  const method = c.req.method === "HEAD" ? "GET" : c.req.method;
  const routes = matchedRoutes(c);
  // The first answers: `/api/users/me` stands before `/api/users/:id`, which matches as well.
  const exact = routes.find((route) => route.method === method);
  const any = routes.findLast((route) => route.method === "ALL" && !route.path.includes("*"));
  return (exact ?? any)?.path ?? "unmatched";
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** A method is any word a client likes: those of HTTP, or `OTHER`. */
export function methodOf(method: string): string {
  return METHODS.has(method) ? method : "OTHER";
}
