/**
 * The classic architecture on Workers, line by line: what Express asks Redis for each request, a Durable Object is asked
 * here; what jsonwebtoken verifies, jose verifies; what Redis caches, KV caches, and an update deletes; the rest is D1.
 */
import { zValidator } from "@hono/zod-validator";
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import * as z from "zod";
import { PasswordHasher } from "../../../src/platform/password-hasher";
import type { LiteralEnv, LiteralEvent } from "./env";
import { actorOf, identify, issueToken, limit, ownerOf } from "./gate";
import { answerGraphql } from "./graphql";
import { placeOrder } from "./orders";
import { answerRpc } from "./rpc";
import { createUser, findAccount, getUser, listUsers, type User, updateUser } from "./users";

export { RateLimiter } from "./rate-limiter";

/** As slow as the project's: hashing is no part of what is compared. */
const hasher = new PasswordHasher(() => Date.now());

const credentials = z.object({ email: z.email(), password: z.string() });
const signUp = z.object({
  name: z.string().min(3).max(100),
  email: z.email(),
  password: z.string().optional(),
});
const patch = z
  .object({ name: z.string().min(3).max(100), age: z.int().min(1).max(150).nullable() })
  .partial();
const page = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().optional(),
});
const cursor = z.object({ createdAt: z.number(), id: z.uuid() });
const order = z.object({
  items: z
    .array(z.object({ productId: z.uuid(), quantity: z.int().min(1).max(1000) }))
    .min(1)
    .max(50),
});

const app = new Hono<LiteralEnv>();

app.onError((error, c) => {
  const { status, message } =
    error instanceof HTTPException ? error : { status: 500 as const, message: "Internal error" };
  return c.json({ status, detail: message }, status);
});
/** A line a request, as morgan writes it. */
app.use(
  createMiddleware(async (c, next) => {
    const startedAt = Date.now();
    await next();
    const { method, path } = c.req;
    console.log(JSON.stringify({ method, path, status: c.res.status, durationMs: Date.now() - startedAt }));
  }),
);
app.use(requestId());
app.use(secureHeaders());
app.use("/api/*", identify, limit);
app.use("/graphql", identify, limit);
app.use("/rpc/*", identify, limit);

const tagged = (user: User) => ({
  ETag: `"${user.version}"`,
  "Cache-Control": "private, no-cache",
  Vary: "Authorization",
});

app.get("/api/users/:id", async (c) => {
  const id = c.req.param("id");
  ownerOf(c.var.actor, id);
  const user = await getUser(c.env, id, (work) => c.executionCtx.waitUntil(work));
  if (user === null) throw new HTTPException(404, { message: "Not found." });
  if (c.req.header("if-none-match") === `"${user.version}"`) return c.body(null, 304, tagged(user));
  return c.json(user, 200, tagged(user));
});

app.get("/api/users", zValidator("query", page), async (c) => {
  if (actorOf(c.var.actor).role !== "admin")
    throw new HTTPException(403, { message: "This is for administrators." });
  const query = c.req.valid("query");
  const after = query.cursor === undefined ? null : cursor.parse(JSON.parse(atob(query.cursor)));
  return c.json(await listUsers(c.env, query.limit, after));
});

app.patch("/api/users/:id", zValidator("json", patch), async (c) => {
  const id = c.req.param("id");
  ownerOf(c.var.actor, id);
  const { name, age } = c.req.valid("json");
  const user = await updateUser(c.env, id, {
    ...(name === undefined ? {} : { name }),
    ...(age === undefined ? {} : { age }),
  });
  if (user === null) throw new HTTPException(404, { message: "Not found." });
  return c.json(user, 200, tagged(user));
});

app.post("/api/users", zValidator("json", signUp), async (c) => {
  const { name, email, password } = c.req.valid("json");
  const passwordHash = password === undefined ? null : await hasher.hash(password);
  const user = await createUser(c.env, { name, email, passwordHash });
  if (user === null) throw new HTTPException(409, { message: "The address is taken." });
  return c.json(user, 201, { Location: `/api/users/${user.id}`, ...tagged(user) });
});

app.post("/api/auth/login", zValidator("json", credentials), async (c) => {
  const { email, password } = c.req.valid("json");
  const account = await findAccount(c.env, email);
  const { isMatch } = await hasher.verify(password, account?.passwordHash ?? null);
  if (account === null || !isMatch) throw new HTTPException(401, { message: "Wrong address or password." });
  const refreshToken = await startSession(c.env, account.user.id);
  const accessToken = await issueToken(c.env, account.user);
  return c.json({ accessToken, tokenType: "Bearer", expiresIn: 900, refreshToken, user: account.user });
});

async function startSession(env: LiteralEnv["Bindings"], userId: string): Promise<string> {
  const [id, token, now] = [crypto.randomUUID(), crypto.randomUUID(), Date.now()];
  await env.DB.batch([
    env.DB.prepare(
      "INSERT INTO sessions (id, user_id, device, created_at, last_seen_at, expires_at) VALUES (?, ?, '', ?, ?, ?)",
    ).bind(id, userId, now, now, now + 604_800_000),
    env.DB.prepare("INSERT INTO refresh_tokens (digest, session_id, created_at) VALUES (?, ?, ?)").bind(
      token,
      id,
      now,
    ),
  ]);
  return token;
}

app.post("/api/orders", zValidator("json", order), async (c) => {
  const placed = await placeOrder(c.env, actorOf(c.var.actor).id, c.req.valid("json").items);
  if (placed === null) throw new HTTPException(409, { message: "Out of stock." });
  return c.json(placed, 201, { Location: `/api/orders/${placed.id}`, ETag: '"1"' });
});

app.post("/graphql", answerGraphql);
app.post("/rpc/*", answerRpc);

export default {
  fetch: app.fetch,
  /** The worker of the job queue: the welcome mail. */
  async queue(batch, env) {
    for (const { body } of batch.messages) {
      if (body.type !== "user.created") continue;
      const user = await env.DB.prepare("SELECT name, email FROM users WHERE id = ?")
        .bind(body.subject)
        .first<{ name: string; email: string }>();
      if (user === null) continue;
      const text = `Welcome, ${user.name}.`;
      await env.EMAIL.send({ from: "hello@meridian.example", to: user.email, subject: "Welcome", text });
    }
  },
} satisfies ExportedHandler<LiteralEnv["Bindings"], LiteralEvent>;
