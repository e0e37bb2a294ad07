/** CORS: closed unless `CORS_ORIGINS` lists the origin, `*` for all. Tokens travel in a header, never in cookies. */
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import type { GatewayEnv } from "../../request-context";

const EXPOSED = [
  "ETag",
  "Link",
  "Location",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "X-D1-Bookmark",
  "X-Request-Id",
  "Idempotency-Replayed",
  "Server-Timing",
];
const PREFLIGHT_SECONDS = 7_200;

export const crossOrigin = createMiddleware<GatewayEnv>((c, next) => {
  const origins = c.get("config").CORS_ORIGINS;
  if (origins.length === 0) return next();
  const middleware = cors({
    origin: origins.includes("*") ? "*" : [...origins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    exposeHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
  });
  return middleware(c, next);
});
