/** What operators and people look at: health, the meaning of an error code, the front page. */
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { ERROR_CATALOGUE, isErrorCode, refuseNotFound } from "../../../kernel/errors";
import { ERROR_MAP } from "../../error-map";
import { dataSchemaOf } from "../../event-catalogue";
import type { GatewayEnv } from "../../request-context";
import { problem } from "../problem";

export const operationsRoutes = new Hono<GatewayEnv>()
  .get("/", (c) =>
    c.json({
      name: "Meridian",
      description: "Users, auth and orders behind one API gateway, at the edge.",
      links: {
        health: "/healthz",
        readiness: "/readyz",
        keys: "/.well-known/jwks.json",
        users: "/api/users",
      },
    }),
  )
  .get("/healthz", (c) => c.json({ status: "ok" }))
  .get("/readyz", async (c) => {
    const report = await c.var.services.health();
    c.header("Cache-Control", "no-store");
    return c.json(report, report.status === "down" ? 503 : 200);
  })
  .get("/.well-known/jwks.json", (c) => {
    // Short enough that a new key is known before it signs: see `npm run keys`.
    c.header("Cache-Control", "public, max-age=300");
    return c.json(c.var.services.keySet.published());
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
  if (c.req.header("accept")?.includes("text/html") !== true)
    return c.json({ code, title, status, explanation });
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${code}</title>
        <h1>${title}</h1>
        <p><code>${code}</code>, HTTP ${status}</p>
        <p>${explanation}</p>
      </html>`,
  );
}
