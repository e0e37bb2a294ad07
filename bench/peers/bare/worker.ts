/** The ceiling: Hono with a constant answer, of the size and with the headers of the project's own. No limit, no token, no store. */
import { Hono } from "hono";

const USER = {
  id: "019b7772-0e20-7001-8000-000000000004",
  name: "User 4",
  email: "user4@example.com",
  pendingEmail: null,
  age: 24,
  role: "user",
  emailVerified: true,
  profile: { bio: "Bio of user 4", avatarUrl: null, locale: "en", timezone: "Europe/Berlin" },
  version: 1,
  createdAt: "2026-01-01T00:00:04.000Z",
  updatedAt: "2026-01-01T00:00:04.000Z",
};

const HEADERS = {
  "Cache-Control": "private, no-cache",
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  ETag: '"1"',
  "Origin-Agent-Cluster": "?1",
  RateLimit: '"default";r=99;t=900',
  "RateLimit-Policy": '"default";q=100;w=900',
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=15552000; includeSubDomains",
  Vary: "Authorization",
  "X-Content-Type-Options": "nosniff",
  "X-DNS-Prefetch-Control": "off",
  "X-Download-Options": "noopen",
  "X-Frame-Options": "SAMEORIGIN",
  "X-Permitted-Cross-Domain-Policies": "none",
  "X-Request-Id": "01a2038c-2078-7cab-a8df-56e1e715ae75",
  "X-XSS-Protection": "0",
};

export default new Hono().get("/api/users/:id", (c) => c.json(USER, 200, HEADERS));
