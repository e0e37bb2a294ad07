/** Who may do what: one pure table for every protocol, actor x action -> yes or no, and what a no is called. */
import type { Actor } from "./actor";
import { done, type Outcome, refuse, refuseNotFound } from "./errors";

/** How an actor stands to what the action is done to. */
type Standing = "anonymous" | "user" | "owner" | "admin" | "system";

const ANYONE: readonly Standing[] = ["anonymous", "user", "owner", "admin", "system"];
const LOGGED_IN: readonly Standing[] = ["user", "owner", "admin", "system"];
const OWNER: readonly Standing[] = ["owner"];
const OWNER_OR_ADMIN: readonly Standing[] = ["owner", "admin", "system"];
const ADMIN: readonly Standing[] = ["admin", "system"];

const PERMISSIONS = {
  "user.sign_up": ANYONE,
  "user.list": ADMIN,
  "user.read": OWNER_OR_ADMIN,
  "user.update": OWNER_OR_ADMIN,
  "user.delete": OWNER_OR_ADMIN,
  "user.change_role": ADMIN,
  /** The new address counts at once, without a mail to it. */
  "user.set_email": ADMIN,
  /** Sessions and passwords belong to their owner alone: an admin who could end them could also hide it. */
  "session.list": OWNER,
  "session.end": OWNER,
  "password.change": OWNER,
  "email.resend": OWNER,
  "product.read": ANYONE,
  "product.write": ADMIN,
  "order.place": LOGGED_IN,
  /** One's own; all of them is `order.list_all`. */
  "order.list": LOGGED_IN,
  "order.read": OWNER_OR_ADMIN,
  "order.list_all": ADMIN,
  "order.cancel": OWNER_OR_ADMIN,
  "order.change_status": ADMIN,
  "event.read": ADMIN,
  "event.replay": ADMIN,
  "webhook.manage": ADMIN,
  "analytics.read": ADMIN,
  "audit.read": ADMIN,
  "limit.manage": ADMIN,
} as const satisfies Record<string, readonly Standing[]>;

export type Action = keyof typeof PERMISSIONS;

export const ACTIONS = Object.keys(PERMISSIONS) as readonly Action[];

/** @param ownerId the user that the thing belongs to; null when it is nobody's */
export function isPermitted(actor: Actor, action: Action, ownerId: string | null = null): boolean {
  const permitted: readonly Standing[] = PERMISSIONS[action];
  return standingsOf(actor, ownerId).some((standing) => permitted.includes(standing));
}

/**
 * Decides as `isPermitted`, and says no as the contract does.
 * **Errors**: `unauthenticated` without a token; `not_found` for what is not yours, for its existence is a secret;
 * `forbidden` for what only administrators do.
 */
export function authorize(actor: Actor, action: Action, ownerId: string | null = null): Outcome<null> {
  if (isPermitted(actor, action, ownerId)) return done(null);
  if (actor.kind === "anonymous") return refuse("unauthenticated", "This call needs an access token.");
  const permitted: readonly Standing[] = PERMISSIONS[action];
  return permitted.includes("owner")
    ? refuseNotFound()
    : refuse("forbidden", "This call is for administrators.");
}

function standingsOf(actor: Actor, ownerId: string | null): readonly Standing[] {
  switch (actor.kind) {
    case "anonymous":
      return ["anonymous"];
    case "system":
      return ["system"];
    case "user": {
      const standings: Standing[] = ["user"];
      if (actor.userId === ownerId) standings.push("owner");
      if (actor.role === "admin") standings.push("admin");
      return standings;
    }
  }
}
