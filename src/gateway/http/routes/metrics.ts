/** `GET /metrics`, for a scraper that holds `METRICS_TOKEN`. */

import { isSameSecret } from "../../../platform/encoding";
import { CONTENT_TYPES, formatFor } from "../../../platform/observability/metrics";
import { bearerOf } from "../bearer";
import { problem } from "../problem";
import { newRouter } from "../router";

export const metricsRoutes = newRouter().get("/", async (c) => {
  const token = bearerOf(c.req.header("authorization"));
  if (token === null || !(await isSameSecret(token, c.var.config.METRICS_TOKEN))) {
    return problem(c, { code: "unauthenticated", detail: "Metrics are shown to the holder of their token." });
  }
  const format = formatFor(c.req.header("accept"));
  const text = await c.var.services.reportMetrics(format);
  return c.body(text, 200, {
    "Content-Type": CONTENT_TYPES[format],
    "Cache-Control": "no-store",
    Vary: "Accept",
  });
});
