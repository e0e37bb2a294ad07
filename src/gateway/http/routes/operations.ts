/** What operators and people look at: health, the meaning of an error code, the front page. */
import type { Context } from "hono";
import { html } from "hono/html";
import { ERROR_CATALOGUE, isErrorCode, refuseNotFound } from "../../../kernel/errors";
import { ERROR_MAP } from "../../error-map";
import { dataSchemaOf } from "../../event-catalogue";
import type { GatewayEnv } from "../../request-context";
import { FRONT_PAGE, frontPage } from "../pages/front-page";
import { problem } from "../problem";
import { newRouter } from "../router";

export const operationsRoutes = newRouter()
  .get("/", (c) => {
    c.header("Vary", "Accept", { append: true });
    return isBrowser(c) ? c.html(frontPage(c.var.config.PUBLIC_URL)) : c.json(FRONT_PAGE);
  })
  .get("/healthz", (c) => c.json({ status: "ok" }))
  .get("/readyz", async (c) => {
    const report = await c.var.services.recentHealth();
    c.header("Cache-Control", "no-store");
    return c.json(report, report.status === "down" ? 503 : 200);
  })
  .get("/events/:type/:version{v[1-9][0-9]*}", (c) => {
    const schema = dataSchemaOf(c.req.param("type"), Number(c.req.param("version").slice(1)));
    return schema === null ? problem(c, refuseNotFound().refusal) : c.json(schema);
  })
  .get("/problems/:code", (c) => explain(c, c.req.param("code")));

/** The page behind a problem's `type`: HTML to a browser, JSON to all others. */
function explain(c: Context<GatewayEnv>, code: string): Response | Promise<Response> {
  if (!isErrorCode(code)) return problem(c, refuseNotFound().refusal);
  const { title, explanation } = ERROR_CATALOGUE[code];
  const status: number = ERROR_MAP[code].http;
  c.header("Vary", "Accept", { append: true });
  if (!isBrowser(c)) return c.json({ code, title, status, explanation });
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title}</title>
          <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
          <link rel="stylesheet" href="/site.css" />
        </head>
        <body>
          <main>
            <h1>${title}</h1>
            <p class="lead"><code>${code}</code>, HTTP ${status}</p>
            <p>${explanation}</p>
          </main>
        </body>
      </html>`,
  );
}

function isBrowser(c: Context<GatewayEnv>): boolean {
  return c.req.header("accept")?.includes("text/html") === true;
}
