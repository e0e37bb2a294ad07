/** GraphiQL, from our own assets: nothing is loaded from elsewhere. Built into `public/graphiql/` by scripts/graphiql.mjs. */
import type { Context } from "hono";
import { html } from "hono/html";
import { isIntrospectionOn } from "../../platform/env";
import type { GatewayEnv } from "../request-context";

/** A browser's address bar, where the schema may be looked at. */
export function wantsExplorer(c: Context<GatewayEnv>): boolean {
  const isBrowser = c.req.method !== "POST" && c.req.header("accept")?.includes("text/html") === true;
  return isBrowser && c.req.query("query") === undefined && isIntrospectionOn(c.var.config);
}

export function explorer(c: Context<GatewayEnv>): Response | Promise<Response> {
  return c.html(html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>GraphiQL · Meridian</title>
        <link rel="stylesheet" href="/graphiql/graphiql.css" />
      </head>
      <body>
        <div id="graphiql">Loading GraphiQL…</div>
        <script type="module" src="/graphiql/graphiql.js"></script>
      </body>
    </html>`);
}
