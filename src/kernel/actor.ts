/** Who is calling. Made by the gateway out of a verified token, or by a consumer; services decide by it. */

export const ROLES = ["user", "admin"] as const;
export type Role = (typeof ROLES)[number];

export type Actor =
  | { readonly kind: "anonymous" }
  | {
      readonly kind: "user";
      readonly userId: string;
      readonly role: Role;
      /** The session's id: the token's `sid`. Null for a foreign issuer's token, which has no session here. */
      readonly sessionId: string | null;
    }
  | {
      /** The Worker itself (a cron, a consumer) or another Worker by service binding. May do all. */
      readonly kind: "system";
      readonly name: string;
    };

export const ANONYMOUS: Actor = { kind: "anonymous" };

export function isAdmin(actor: Actor): boolean {
  return actor.kind === "system" || (actor.kind === "user" && actor.role === "admin");
}

/** How the actor is named in audit rows and order history: `user:<id>`, `system:<name>` or `anonymous`. */
export function actorLabel(actor: Actor): string {
  switch (actor.kind) {
    case "anonymous":
      return "anonymous";
    case "user":
      return `user:${actor.userId}`;
    case "system":
      return `system:${actor.name}`;
  }
}
