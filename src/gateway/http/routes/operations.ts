/** What operators and people look at: health, the meaning of an error code, the front page. */
import type { Context } from "hono";
import { ERROR_CATALOGUE, isErrorCode, refuseNotFound } from "../../../kernel/errors";
import { ERROR_MAP } from "../../error-map";
import type { GatewayEnv } from "../../request-context";
import { problem } from "../problem";
import { newRouter } from "../router";

export const operationsRoutes = newRouter()
  .get("/", async (c) => {
    const { FRONT_PAGE, frontPage } = await import("../pages");
    c.header("Vary", "Accept", { append: true });
    return isBrowser(c) ? c.html(frontPage(c.var.config.PUBLIC_URL)) : c.json(FRONT_PAGE);
  })
  .get("/healthz", (c) => c.json({ status: "ok" }))
  .get("/readyz", async (c) => {
    const report = await c.var.services.recentHealth();
    c.header("Cache-Control", "no-store");
    return c.json(report, report.status === "down" ? 503 : 200);
  })
  .get("/events/:type/:version{v[1-9][0-9]*}", async (c) => {
    // A file that `npm run events:doc` writes: the Worker has no code that turns zod into JSON Schema.
    const { default: schemas } = await import("../../../../contract/events/schemas.json");
    const { type, version } = c.req.param();
    const [, schema] = Object.entries(schemas).find(([name]) => name === `${type}/${version}`) ?? [];
    return schema === undefined ? problem(c, refuseNotFound().refusal) : c.json(schema);
  })
  .get("/problems/:code", (c) => explain(c, c.req.param("code")));

/** Explains an error code: a page to a browser, JSON to all others. */
async function explain(c: Context<GatewayEnv>, code: string): Promise<Response> {
  if (!isErrorCode(code)) return problem(c, refuseNotFound().refusal);
  const { title, explanation } = ERROR_CATALOGUE[code];
  const meaning = { code, title, status: ERROR_MAP[code].http as number, explanation };
  c.header("Vary", "Accept", { append: true });
  if (!isBrowser(c)) return c.json(meaning);
  const { problemPage } = await import("../pages");
  return c.html(problemPage(meaning));
}

function isBrowser(c: Context<GatewayEnv>): boolean {
  return c.req.header("accept")?.includes("text/html") === true;
}
