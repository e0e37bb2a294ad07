/** What browsers may do with an answer: show our style, and run nothing but on the few pages that run our own script. */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { GatewayEnv } from "../../request-context";

/** On every answer. Source: OWASP Secure Headers Project. */
const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Origin-Agent-Cluster", "?1"],
  ["Referrer-Policy", "no-referrer"],
  ["Strict-Transport-Security", "max-age=15552000; includeSubDomains"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-DNS-Prefetch-Control", "off"],
  ["X-Download-Options", "noopen"],
  ["X-Frame-Options", "SAMEORIGIN"],
  ["X-Permitted-Cross-Domain-Policies", "none"],
  ["X-XSS-Protection", "0"],
];

/** Our few pages bring a stylesheet and a picture of ours. */
const NOTHING =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The pages that mails link to. Each runs a script from our assets, which calls the API. */
const MAIL_PAGES: readonly string[] = ["/verify-email", "/reset-password"];

const MAIL_PAGE =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Styles are written into the page by the explorer's menus, its fonts and images lie in its own files. */
const EXPLORER =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

export const securityHeaders = createMiddleware<GatewayEnv>(async (c, next) => {
  await next();
  const { headers } = c.res;
  for (const [name, value] of HEADERS) headers.set(name, value);
  headers.set("Content-Security-Policy", contentPolicyOf(c));
});

function contentPolicyOf(c: Context<GatewayEnv>): string {
  if (isExplorer(c)) return EXPLORER;
  return isMailPage(c) ? MAIL_PAGE : NOTHING;
}

function isMailPage(c: Context<GatewayEnv>): boolean {
  return MAIL_PAGES.includes(c.req.path);
}

function isExplorer(c: Context<GatewayEnv>): boolean {
  return (
    c.req.path === "/graphql" &&
    c.req.method !== "POST" &&
    c.req.header("accept")?.includes("text/html") === true
  );
}
