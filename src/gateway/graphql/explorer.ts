/** GraphiQL at `/graphql`: who sees it, and the page, which is loaded by the first call that shows it. */
import type { Context } from "hono";
import { isIntrospectionOn } from "../../platform/env";
import type { GatewayEnv } from "../request-context";

/** A browser's address bar, where the schema may be looked at. */
export function wantsExplorer(c: Context<GatewayEnv>): boolean {
  const isBrowser = c.req.method !== "POST" && c.req.header("accept")?.includes("text/html") === true;
  return isBrowser && c.req.query("query") === undefined && isIntrospectionOn(c.var.config);
}

export async function explorer(c: Context<GatewayEnv>): Promise<Response> {
  const { explorerPage } = await import("./explorer-page");
  return c.html(explorerPage());
}
