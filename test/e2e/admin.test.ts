import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, test } from "vitest";
import { promoteStatements } from "../../scripts/admin-statements.mjs";

const AT = 1_800_000_000_000;
const CHANGE = { at: AT, eventId: "01a202f2-1b2e-7000-9e8e-fe5eefe45b1e", requestId: "request-1" };

let database: DatabaseSync;
beforeEach(() => {
  database = new DatabaseSync(":memory:");
  for (const name of readdirSync("migrations")
    .filter((file) => file.endsWith(".sql"))
    .sort()) {
    database.exec(readFileSync(`migrations/${name}`, "utf8"));
  }
  for (const [id, email] of [
    ["u1", "o'hara@example.com"],
    ["u2", "ohara@example.com"],
  ]) {
    database
      .prepare(
        `insert into users (id, name, email, email_key, role, is_email_verified, last_event_id, created_at, updated_at)
         values (?, 'Name', ?, ?, 'user', 0, 'e0', 1, 1)`,
      )
      .run(id ?? "", email ?? "", email ?? "");
  }
});

function promote(email: string, change = CHANGE) {
  const statements = promoteStatements({ ...change, email }).split(";\n");
  const last = statements.pop() ?? "";
  database.exec(statements.join(";\n"));
  return database
    .prepare(last)
    .all()
    .map((row) => ({ ...row }));
}

function rows(sql: string) {
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}

test("the named user and nobody else becomes an admin, its older tokens void, with one event and one audit row", () => {
  expect(promote("O'Hara@Example.com")).toEqual([{ id: "u1", changed: 1 }]);
  expect(rows("select id, role, version, token_epoch, updated_at from users order by id")).toEqual([
    { id: "u1", role: "admin", version: 2, token_epoch: 2, updated_at: AT },
    { id: "u2", role: "user", version: 1, token_epoch: 1, updated_at: 1 },
  ]);
  expect(rows("select id, type, source, subject, data from outbox_events")).toEqual([
    {
      id: CHANGE.eventId,
      type: "user.updated",
      source: "/meridian/users",
      subject: "u1",
      data: '{"userId":"u1","email":"o\'hara@example.com"}',
    },
  ]);
  expect(rows("select actor, action, subject from audit_log")).toEqual([
    { actor: "system:admin-script", action: "user.change_role", subject: "user:u1" },
  ]);
});

test("each consumer of user.updated is owed the change, after the rest that it asks for", () => {
  database.exec(
    "insert into event_subscriptions (type, consumer) values ('*', 'hook-1'), ('user.created', 'hook-2')",
  );
  promote("ohara@example.com");
  expect(rows("select consumer, state, due_at from event_deliveries order by consumer")).toEqual([
    { consumer: "cache-refresh", state: "pending", due_at: AT + 30_000 },
    { consumer: "hook-1", state: "pending", due_at: AT },
  ]);
});

test("an admin stays one, with no second event", () => {
  promote("ohara@example.com");
  expect(promote("ohara@example.com", { ...CHANGE, eventId: "another" })).toEqual([{ id: "u2", changed: 0 }]);
  expect(rows("select count(*) as events from outbox_events")).toEqual([{ events: 1 }]);
  expect(rows("select version from users where id = 'u2'")).toEqual([{ version: 2 }]);
});

test("an address that nobody has, and one that is SQL, change nothing", () => {
  expect(promote("nobody@example.com")).toEqual([]);
  expect(promote("' or '1'='1")).toEqual([]);
  expect(rows("select count(*) as admins from users where role = 'admin'")).toEqual([{ admins: 0 }]);
  expect(rows("select count(*) as events from outbox_events")).toEqual([{ events: 0 }]);
});
