/**
 * Who may do what: one pure table for REST, GraphQL and RPC.
 *
 * `anyone` needs no token; `user` any valid token; `owner` the owner of the resource or an admin, and to everybody
 * else the resource does not exist; `admin` an admin alone.
 */
import { type Actor, isAdmin, isSelf } from "./actor";
import { done, type Outcome, refuse, refuseNotFound } from "./errors";

type Rule = "anyone" | "user" | "owner" | "admin";

const PERMISSIONS = {
  "user.signUp": "anyone",
  "user.list": "admin",
  "user.read": "owner",
  "user.update": "owner",
  "user.changeRole": "admin",
  "user.delete": "owner",
  "product.write": "admin",
  "order.place": "user",
  "order.list": "user",
  "order.listAll": "admin",
  "order.read": "owner",
  "order.cancel": "owner",
  "order.changeStatus": "admin",
  "analytics.read": "admin",
} as const satisfies Record<string, Rule>;

export type Action = keyof typeof PERMISSIONS;

const ruleOf: Readonly<Record<Action, Rule>> = PERMISSIONS;

/**
 * Decides whether the actor may act.
 *
 * @param ownerId whose resource it is; needed by `owner` actions
 * **Errors**: `unauthenticated` without a token; `forbidden` for admins' actions; `not_found` for what is not yours.
 */
export function authorize(actor: Actor, action: Action, ownerId?: string): Outcome<null> {
  const rule = ruleOf[action];
  if (rule === "anyone" || isAdmin(actor)) return done(null);
  if (actor.kind !== "user") return refuse("unauthenticated", "This call needs an access token.");
  switch (rule) {
    case "user":
      return done(null);
    case "owner":
      return ownerId !== undefined && isSelf(actor, ownerId) ? done(null) : refuseNotFound();
    case "admin":
      return refuse("forbidden", "This call is for administrators.");
  }
}
