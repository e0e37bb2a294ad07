/** Access tokens: HS256 by jsonwebtoken, with everything pinned that a token could choose. */
import jwt from "jsonwebtoken";
import { Problem } from "./problem.mjs";

const PINNED = { issuer: "https://meridian.example", audience: "meridian" };
export const ACCESS_TOKEN_TTL_SECONDS = 900;

/** @param {{id: string, role: string}} user */
export function issueToken(secret, { id, role }, { sessionId, ttlSeconds = ACCESS_TOKEN_TTL_SECONDS }) {
  return jwt.sign({ role, sid: sessionId }, secret, {
    ...PINNED,
    subject: id,
    algorithm: "HS256",
    expiresIn: ttlSeconds,
  });
}

/**
 * Puts who calls on the request: `req.actor` is `{id, role}`, or null without a token or with a bad one, which the
 * handlers refuse after the limiter has counted the request.
 */
export function identify(secret) {
  return (req, _res, next) => {
    req.actor = null;
    const header = req.get("authorization");
    if (header?.startsWith("Bearer ")) {
      try {
        const { sub, role } = jwt.verify(header.slice(7), secret, { ...PINNED, algorithms: ["HS256"] });
        req.actor = { id: sub, role };
      } catch (error) {
        const isExpired = error instanceof jwt.TokenExpiredError;
        req.tokenProblem = isExpired
          ? new Problem("token_expired", "The access token has expired.")
          : new Problem("unauthenticated", "The access token is not valid.");
      }
    }
    next();
  };
}

/** A bad token is refused, even where none is needed. */
export function refuseBadToken(req, _res, next) {
  next(req.tokenProblem);
}

/** The caller. **Errors**: `unauthenticated`. */
export function actorOf(req) {
  if (req.actor === null) throw new Problem("unauthenticated", "This call needs an access token.");
  return req.actor;
}

/** **Errors**: `unauthenticated`, `forbidden`. */
export function adminOf(req) {
  const actor = actorOf(req);
  if (actor.role !== "admin") throw new Problem("forbidden", "This is for administrators.");
  return actor;
}
