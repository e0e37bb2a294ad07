/** GraphiQL from our own assets, which scripts/graphiql.mjs bundles into `public/graphiql/`. Nothing comes from elsewhere. */
import { html } from "hono/html";
import { page } from "../page";

export function explorerPage() {
  return page({
    title: "GraphiQL · Meridian",
    stylesheet: "/graphiql/graphiql.css",
    body: html`<div id="graphiql">Loading GraphiQL…</div>
      <script type="module" src="/graphiql/graphiql.js"></script>`,
  });
}
