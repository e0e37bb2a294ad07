import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { ANONYMOUS } from "../../src/kernel/actor";
import { AuditTrail } from "../../src/platform/audit";
import { Database } from "../../src/platform/database";
import { TEST_NOW_MS, testScope } from "../support/scope";

const ADMIN = { kind: "user", userId: "u-1", role: "admin", sessionId: null } as const;

function trailOf() {
  const scope = testScope();
  const database = new Database(env.DB, scope.calls);
  return { database, trail: new AuditTrail(database, scope) };
}

test("an entry says who did what to whom, when and in which request", async () => {
  const { database, trail } = trailOf();
  await database.commit([
    trail.record({
      actor: ADMIN,
      action: "user.change_role",
      subject: "user:u-2",
      details: { role: "admin" },
    }),
  ]);
  expect(await trail.list({ limit: 10 })).toEqual({
    data: [
      {
        id: "1",
        at: new Date(TEST_NOW_MS).toISOString(),
        actor: "user:u-1",
        action: "user.change_role",
        subject: "user:u-2",
        details: { role: "admin" },
        requestId: "request-of-test",
      },
    ],
    nextCursor: null,
  });
});

test("no row without its change: a guard that does not hold writes nothing", async () => {
  const { database, trail } = trailOf();
  const record = (action: string, guard: ReturnType<typeof sql>) =>
    trail.record({ actor: ANONYMOUS, action, subject: "user:u-2", guard });
  await database.commit([
    record("user.delete", sql`exists (select 1 from users where id = 'u-2')`),
    record("user.read", sql`1 = 1`),
  ]);
  expect((await trail.list({ limit: 10 })).data.map((entry) => entry.action)).toEqual(["user.read"]);
});

test("secrets and addresses are taken out, however deep they lie", async () => {
  const { database, trail } = trailOf();
  const details = {
    passwordHash: "$scrypt$",
    changes: { email: "ada@example.com", role: "admin" },
    note: "x".repeat(500),
  };
  await database.commit([
    trail.record({ actor: ADMIN, action: "user.update", subject: "user:u-2", details }),
  ]);
  const row = await env.DB.prepare("select details from audit_log").first<{ details: string }>();
  expect(row?.details).not.toContain("scrypt");
  expect(row?.details).not.toContain("ada@");
  expect(row?.details).toContain('"role":"admin"');
  expect(row?.details.length).toBeLessThan(400);
});

test("pages go by actor or subject, and a walk over them meets each entry once", async () => {
  const { database, trail } = trailOf();
  for (let index = 0; index < 5; index += 1) {
    const subject = `user:${index % 2}`;
    await database.commit([trail.record({ actor: ADMIN, action: `step.${index}`, subject })]);
  }
  const first = await trail.list({ actor: "user:u-1", limit: 2 });
  const second = await trail.list({ actor: "user:u-1", limit: 2, after: first.nextCursor ?? "" });
  const third = await trail.list({ actor: "user:u-1", limit: 2, after: second.nextCursor ?? "" });
  const seen = [first, second, third].flatMap((page) => page.data.map((entry) => entry.action));
  expect(seen).toEqual(["step.0", "step.1", "step.2", "step.3", "step.4"]);
  expect(third.nextCursor).toBeNull();
  expect((await trail.list({ subject: "user:1", limit: 10 })).data).toHaveLength(2);
  expect((await trail.list({ actor: "user:nobody", limit: 10 })).data).toEqual([]);
});
