/** `/api/users`. */
import { Router } from "express";
import { authLimit } from "../limits.mjs";
import { hashPassword } from "../passwords.mjs";
import { notFound, Problem } from "../problem.mjs";
import { bodyOf, idOf, listUsers, patchUser, queryOf, signUp } from "../schemas.mjs";
import { actorOf, adminOf } from "../tokens.mjs";
import { findUser, insertUser, isEmailTaken, pageOfUsers, updateUser } from "../user-store.mjs";

/** @param {import("../services.mjs").Services} services */
export function usersRoutes(services) {
  const routes = Router();

  routes.post("/", authLimit(services, "sign-up"), async (req, res) => {
    const input = bodyOf(req, signUp);
    const passwordHash = input.password == null ? null : await hashPassword(input.password);
    const user = await orEmailTaken(insertUser(services, input, passwordHash));
    res.status(201).location(`/api/users/${user.id}`);
    sendUser(res, user);
  });

  routes.get("/", async (req, res) => {
    adminOf(req);
    const page = await pageOfUsers(services, queryOf(req, listUsers));
    if (page.nextCursor !== null) {
      const next = new URL(req.originalUrl, "http://localhost");
      next.searchParams.set("cursor", page.nextCursor);
      res.set("Link", `<${next.pathname}${next.search}>; rel="next"`);
    }
    res.json(page);
  });

  routes.get("/me", async (req, res) => {
    sendUser(res, await visibleUser(services, req, actorOf(req).id));
  });

  routes.get("/:id", async (req, res) => {
    sendUser(res, await visibleUser(services, req, idOf(req)));
  });

  routes.patch("/:id", async (req, res) => {
    const actor = actorOf(req);
    const id = idOf(req);
    const patch = bodyOf(req, patchUser);
    const isAdmin = actor.role === "admin";
    if (actor.id !== id && !isAdmin) throw notFound();
    if (patch.role !== undefined && !isAdmin)
      throw new Problem("forbidden", "Only an administrator sets roles.");
    const change = { patch, versions: versionsOf(req.get("if-match")), isAdmin };
    const user = await orEmailTaken(updateUser(services, id, change));
    if (user !== null) return sendUser(res, user);
    if ((await findUser(services, id)) === null) throw notFound();
    throw new Problem("precondition_failed", "The user has another version. Nothing was changed.");
  });

  return routes;
}

/** **Errors**: `unauthenticated`, `not_found`. */
async function visibleUser(services, req, id) {
  const actor = actorOf(req);
  if (actor.id !== id && actor.role !== "admin") throw notFound();
  const user = await findUser(services, id);
  if (user === null) throw notFound();
  return user;
}

/** With `ETag`; Express makes it a 304 for who has this version. */
function sendUser(res, user) {
  res.set("ETag", `"${user.version}"`).json(user);
}

/** The versions of `If-Match`; null for any. What is no strong tag matches none. */
function versionsOf(header) {
  if (header === undefined || header.trim() === "*") return null;
  return header.split(",").flatMap((tag) => /^"(\d{1,9})"$/.exec(tag.trim())?.slice(1).map(Number) ?? []);
}

async function orEmailTaken(work) {
  try {
    return await work;
  } catch (error) {
    if (isEmailTaken(error)) throw new Problem("email_taken", "An account with this address exists.");
    throw error;
  }
}
