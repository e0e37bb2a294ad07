import { expect, test } from "vitest";
import { type Actor, ANONYMOUS } from "../../../src/kernel/actor";
import { ACTIONS, isPermitted } from "../../../src/kernel/permissions";

const OWNER_ID = "019ab000-0000-7000-8000-000000000001";
const ACTORS: Record<string, Actor> = {
  anonymous: ANONYMOUS,
  owner: { kind: "user", userId: OWNER_ID, role: "user", sessionId: null },
  stranger: { kind: "user", userId: "019ab000-0000-7000-8000-000000000002", role: "user", sessionId: null },
  admin: { kind: "user", userId: "019ab000-0000-7000-8000-000000000003", role: "admin", sessionId: null },
  system: { kind: "system", name: "sweep" },
};

/** Written out whole, so that a change of the table is a change of this page. */
const EXPECTED: Record<string, string> = {
  "user.sign_up": "anonymous owner stranger admin system",
  "user.list": "admin system",
  "user.read": "owner admin system",
  "user.update": "owner admin system",
  "user.delete": "owner admin system",
  "user.change_role": "admin system",
  "user.set_email": "admin system",
  "session.list": "owner",
  "session.end": "owner",
  "password.change": "owner",
  "email.resend": "owner",
  "product.read": "anonymous owner stranger admin system",
  "product.write": "admin system",
  "order.place": "owner stranger admin system",
  "order.list": "owner stranger admin system",
  "order.read": "owner admin system",
  "order.list_all": "admin system",
  "order.cancel": "owner admin system",
  "order.change_status": "admin system",
  "event.read": "admin system",
  "event.replay": "admin system",
  "webhook.manage": "admin system",
  "analytics.read": "admin system",
  "limit.manage": "admin system",
  "audit.read": "admin system",
};

test("each action is open to exactly those who are written here", () => {
  const actual = Object.fromEntries(
    ACTIONS.map((action) => [
      action,
      Object.entries(ACTORS)
        .filter(([, actor]) => isPermitted(actor, action, OWNER_ID))
        .map(([name]) => name)
        .join(" "),
    ]),
  );
  expect(actual).toEqual(EXPECTED);
});

test("what is nobody's has no owner", () => {
  for (const actor of Object.values(ACTORS)) {
    expect(isPermitted(actor, "session.list")).toBe(false);
  }
});
