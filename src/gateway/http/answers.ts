/** The shapes of answers: a value, one with its entity tag, a page. */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Page } from "../../kernel/cursor";
import { entityTag, isNotModified } from "../../kernel/entity-tag";
import type { Outcome } from "../../kernel/errors";
import type { GatewayEnv } from "../request-context";
import { answer } from "./problem";

/** How a route answers a value: its JSON, or nothing for null. */
export interface Reply<T> {
  readonly status: 200 | 201 | 202 | 204;
  /** Computed from the value, so a replay has the same. */
  readonly headers?: (value: T) => Readonly<Record<string, string>>;
}

export function reply<T>(
  c: Context<GatewayEnv>,
  outcome: Outcome<T>,
  { status, headers }: Reply<T>,
): Response {
  return answer(c, outcome, (value) => {
    const isEmpty = value === null || status === 204;
    const response = isEmpty ? c.body(null, status) : json(c, JSON.stringify(value), status);
    for (const [name, text] of Object.entries(headers?.(value) ?? {})) response.headers.set(name, text);
    return response;
  });
}

/** The entity tag of what a change answers. */
export function tagged({ version }: { readonly version: number }) {
  return { ETag: entityTag(version) };
}

/** `Location` and entity tag of what a creation answers. */
export function locatedAt(path: string) {
  return ({ id, version }: { readonly id: string; readonly version: number }) => ({
    Location: `${path}/${id}`,
    ETag: entityTag(version),
  });
}

/** 200 with `ETag`, or 304 to a client that has this version. Source: RFC 9110, section 13.1.2. */
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
export function pageResponse(c: Context<GatewayEnv>, outcome: Outcome<Page<unknown>>): Response {
  return answer(c, outcome, (page) => {
    if (page.nextCursor !== null) {
      const next = new URL(c.req.url);
      next.searchParams.set("cursor", page.nextCursor);
      c.header("Link", `<${next.pathname}${next.search}>; rel="next"`);
    }
    return json(c, JSON.stringify(page));
  });
}
