/** Answers that resources share: one with its entity tag, and a page of them. */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Page } from "../../kernel/cursor";
import { entityTag, isNotModified } from "../../kernel/entity-tag";
import type { Outcome } from "../../kernel/errors";
import type { GatewayEnv } from "../request-context";
import { answer } from "./problem";

/** 200 with `ETag`, or 304 to who has this version. Source: RFC 9110, section 13.1.2. */
export function conditional<T extends { readonly version: number }>(
  c: Context<GatewayEnv>,
  outcome: Outcome<T>,
): Response {
  return answer(c, outcome, (resource) => {
    const isKnown = isNotModified(c.req.header("if-none-match"), resource.version);
    const response = isKnown ? c.body(null, 304) : json(c, JSON.stringify(resource));
    response.headers.set("ETag", entityTag(resource.version));
    return response;
  });
}

/**
 * As `c.json`, of what is JSON already. Headers that a `Response` is made with cost the runtime several times what they cost
 * when they are set on it.
 */
export function json(c: Context<GatewayEnv>, text: string, status: ContentfulStatusCode = 200): Response {
  const response = status === 200 ? c.text(text) : c.body(text, status);
  response.headers.set("Content-Type", "application/json");
  return response;
}

/** `Link: rel="next"` repeats the query with the next page's cursor. Source: RFC 8288. */
export function pageResponse(c: Context<GatewayEnv>, page: Page<unknown>): Response {
  if (page.nextCursor !== null) {
    const next = new URL(c.req.url);
    next.searchParams.set("cursor", page.nextCursor);
    c.header("Link", `<${next.pathname}${next.search}>; rel="next"`);
  }
  return json(c, JSON.stringify(page));
}
