/** What browsers may do with an answer: show our style, and run nothing but on the few pages that run our own script. */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import type { GatewayEnv } from "../../request-context";
import { MAIL_PAGES } from "../pages/mail-pages";

/** Our few pages bring a stylesheet and a picture of ours. */
const nothing = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** The pages behind the links of mails run a script of ours, which calls the API. */
const mailPage = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** Styles are written into the page by the explorer's menus, its fonts and images lie in its own files. */
const explorer = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", "data:"],
    fontSrc: ["'self'", "data:"],
    connectSrc: ["'self'"],
    frameAncestors: ["'none'"],
  },
});

export const securityHeaders = createMiddleware<GatewayEnv>((c, next) => {
  if (isExplorer(c)) return explorer(c, next);
  return isMailPage(c) ? mailPage(c, next) : nothing(c, next);
});

function isMailPage(c: Context<GatewayEnv>): boolean {
  return MAIL_PAGES.some((path) => path === c.req.path);
}

function isExplorer(c: Context<GatewayEnv>): boolean {
  return (
    c.req.path === "/graphql" &&
    c.req.method !== "POST" &&
    c.req.header("accept")?.includes("text/html") === true
  );
}
