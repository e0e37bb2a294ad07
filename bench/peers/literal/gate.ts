/** Who calls, and whether within the limit: HS256 by jose for each request, and a call to the client's counter. */

import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import { jwtVerify, SignJWT } from "jose";
import type { Actor, LiteralEnv } from "./env";

const PINNED = { issuer: "https://meridian.example", audience: "meridian" };
const WINDOW_SECONDS = 900;
const TTL_SECONDS = 900;

const secretOf = (env: LiteralEnv["Bindings"]) => new TextEncoder().encode(env.JWT_SECRET);

export async function issueToken(env: LiteralEnv["Bindings"], { id, role }: Actor): Promise<string> {
  return await new SignJWT({ role })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(PINNED.issuer)
    .setAudience(PINNED.audience)
    .setSubject(id)
    .setIssuedAt()
    .setExpirationTime(`${TTL_SECONDS}s`)
    .sign(secretOf(env));
}

export const identify = createMiddleware<LiteralEnv>(async (c, next) => {
  const header = c.req.header("authorization");
  c.set("actor", null);
  if (header?.startsWith("Bearer ")) {
    try {
      const { payload } = await jwtVerify(header.slice(7), secretOf(c.env), {
        ...PINNED,
        algorithms: ["HS256"],
      });
      c.set("actor", { id: String(payload.sub), role: payload.role === "admin" ? "admin" : "user" });
    } catch {
      throw new HTTPException(401, { message: "The access token is not valid." });
    }
  }
  await next();
});

export const limit = createMiddleware<LiteralEnv>(async (c, next) => {
  const max = Number(c.env.RATE_LIMIT_MAX);
  const key = c.var.actor?.id ?? c.req.header("cf-connecting-ip") ?? "unknown";
  const { count, resetAt } = await c.env.RATE_LIMITER.getByName(key).hit(WINDOW_SECONDS * 1000);
  c.header("RateLimit-Policy", `"default";q=${max};w=${WINDOW_SECONDS}`);
  c.header(
    "RateLimit",
    `"default";r=${Math.max(0, max - count)};t=${Math.ceil((resetAt - Date.now()) / 1000)}`,
  );
  if (count > max) throw new HTTPException(429, { message: "The budget for this client is spent." });
  await next();
});

/** **Errors**: 401. */
export function actorOf(actor: Actor | null): Actor {
  if (actor === null) throw new HTTPException(401, { message: "This call needs an access token." });
  return actor;
}

/** **Errors**: 401; 404 for what is not yours. */
export function ownerOf(actor: Actor | null, id: string): Actor {
  const caller = actorOf(actor);
  if (caller.id !== id && caller.role !== "admin") throw new HTTPException(404, { message: "Not found." });
  return caller;
}
