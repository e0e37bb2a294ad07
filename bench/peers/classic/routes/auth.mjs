/** `/api/auth`: login. */
import { createHash, randomBytes } from "node:crypto";
import { Router } from "express";
import { authLimit } from "../limits.mjs";
import { isPassword } from "../passwords.mjs";
import { Problem } from "../problem.mjs";
import { bodyOf, logIn } from "../schemas.mjs";
import { newId, prepared } from "../services.mjs";
import { ACCESS_TOKEN_TTL_SECONDS, issueToken } from "../tokens.mjs";
import { findCredential } from "../user-store.mjs";

const SESSION_TTL_MS = 7 * 24 * 3600 * 1000;

const insertSession = prepared(
  "session-insert",
  `WITH s AS (INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4))
   INSERT INTO refresh_tokens (digest, session_id, created_at) VALUES ($5, $1, $3)`,
);

/** @param {import("../services.mjs").Services} services */
export function authRoutes(services) {
  const { pool, settings } = services;
  const routes = Router();

  routes.post("/login", authLimit(services, "login"), async (req, res) => {
    const { email, password } = bodyOf(req, logIn);
    const credential = await findCredential(services, email);
    const isMatch = await isPassword(password, credential?.passwordHash ?? null);
    if (credential === null || !isMatch)
      throw new Problem("invalid_credentials", "No account has this address with this password.");
    const { user } = credential;
    const sessionId = newId();
    const refreshToken = randomBytes(32).toString("base64url");
    const digest = createHash("sha256").update(refreshToken).digest("base64url");
    const now = Date.now();
    await insertSession(pool, [sessionId, user.id, new Date(now), new Date(now + SESSION_TTL_MS), digest]);
    const accessToken = issueToken(settings.jwtSecret, user, { sessionId });
    res.json({ accessToken, tokenType: "Bearer", expiresIn: ACCESS_TOKEN_TTL_SECONDS, refreshToken, user });
  });

  return routes;
}
