/**
 * Headers that answers of the API carry whatever the route. Those of a finished answer are set on it directly: Hono's
 * `c.header` would make a new `Response` for each.
 */
import { createMiddleware } from "hono/factory";
import { isBookmark } from "../../../kernel/bookmark";
import type { GatewayEnv } from "../../request-context";
import { problem } from "../problem";

/** An answer depends on the caller: caches ask again each time, and never across callers. */
export const privateAnswers = createMiddleware<GatewayEnv>(async (c, next) => {
  await next();
  const { headers } = c.res;
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "private, no-cache");
  headers.append("Vary", "Authorization");
});

/**
 * `X-D1-Bookmark`: out on writes, so that the client can ask to read them, and on refused ones, so that who reads again
 * after a 412 sees what refused it; in, refused when malformed.
 * **Errors**: `validation_failed`.
 */
export const bookmarks = createMiddleware<GatewayEnv>(async (c, next) => {
  const presented = c.req.header("x-d1-bookmark");
  if (presented !== undefined && !isBookmark(presented)) {
    return problem(c, {
      code: "validation_failed",
      detail: "The bookmark is not one that was given out here.",
      violations: [
        {
          pointer: "#/header/X-D1-Bookmark",
          code: "invalid_format",
          message: "Must be 8-8-8-32 lower-case hex digits.",
        },
      ],
    });
  }
  await next();
  const isWrite = c.req.method !== "GET" && c.req.method !== "HEAD" && c.get("isRead") !== true;
  const bookmark = isWrite ? c.get("services").bookmark() : null;
  if (bookmark !== null) c.res.headers.set("X-D1-Bookmark", bookmark);
  return undefined;
});
