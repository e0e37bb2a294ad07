/** GraphiQL from our own assets, which scripts/graphiql.mjs bundles into `public/graphiql/`. Nothing comes from elsewhere. */
import { html } from "hono/html";

export function explorerPage() {
  return html`<!doctype html>
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
    </html>`;
}
