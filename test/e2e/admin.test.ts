import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { findStatement, promoteStatements } from "../../scripts/admin-statements.mjs";
import { DatabaseLocked } from "../../scripts/database-lock.mjs";
import { promote as promoteAccount } from "../../scripts/promotion.mjs";
import { collect, spawnScript } from "../../scripts/tools.mjs";
import { migratedState } from "../support/migrated-state";

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
        `insert into users (id, name, email, email_key, role, is_email_verified, last_change_id, created_at, updated_at)
         values (?, 'Name', ?, ?, 'user', 0, 'e0', 1, 1)`,
      )
      .run(id ?? "", email ?? "", email ?? "");
  }
});

/** Runs statements as a batch of D1: all or none, and the rows of the last. */
function batch(sql: string) {
  const statements = sql.split(";\n");
  const last = statements.pop() ?? "";
  database.exec(["begin", ...statements].join(";\n"));
  const found = rows(last);
  database.exec("commit");
  return found;
}

/** Reads the account, and promotes what was read. */
function promote(email: string, change = CHANGE, between = () => {}) {
  const [user] = rows(findStatement(email)) as { id: string; isVerified: number }[];
  between();
  return user === undefined ? [] : batch(promoteStatements(user, { ...change, email }));
}

function rows(sql: string) {
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}

test("the named user and nobody else becomes an admin, its older tokens void, with one event and one audit row", () => {
  expect(promote("O'Hara@Example.com")).toEqual([{ role: "admin", changed: 1 }]);
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
  expect(promote("ohara@example.com", { ...CHANGE, eventId: "another" })).toEqual([
    { role: "admin", changed: 0 },
  ]);
  expect(rows("select count(*) as events from outbox_events")).toEqual([{ events: 1 }]);
  expect(rows("select version from users where id = 'u2'")).toEqual([{ version: 2 }]);
});

test("an address that nobody has, and one that is SQL, change nothing", () => {
  expect(promote("nobody@example.com")).toEqual([]);
  expect(promote("' or '1'='1")).toEqual([]);
  expect(rows("select count(*) as admins from users where role = 'admin'")).toEqual([{ admins: 0 }]);
  expect(rows("select count(*) as events from outbox_events")).toEqual([{ events: 0 }]);
});

test.each([
  [
    "the address belongs to another account",
    "update users set email_key = 'moved' where id = 'u2'; update users set email_key = 'ohara@example.com' where id = 'u1'",
  ],
  ["the account is another one of that address", "update users set id = 'u3' where id = 'u2'"],
  ["the address is no longer confirmed as it was", "update users set is_email_verified = 1 where id = 'u2'"],
])("between the read and the change %s: nothing is written", (_, meanwhile) => {
  const after = promote("ohara@example.com", CHANGE, () => database.exec(meanwhile));
  expect(after.filter(({ role }) => role === "admin")).toEqual([]);
  expect(rows("select count(*) as admins from users where role = 'admin'")).toEqual([{ admins: 0 }]);
  for (const table of ["outbox_events", "event_deliveries", "audit_log"])
    expect([table, rows(`select count(*) as n from ${table}`)]).toEqual([table, [{ n: 0 }]]);
});

const LOCAL = {
  email: "Ohara@example.com",
  isRemote: false,
  allowsUnverified: false,
  where: "the local database",
};
const REMOTE = { ...LOCAL, isRemote: true, where: "the deployed database" };
const FOUND = { id: "u2", isVerified: false, madeAt: "1970-01-01 00:00 UTC" };
const admins = () => rows("select id from users where role = 'admin'");

test("an address that is not confirmed is promoted here, and refused on the deployed database unless that is allowed", async () => {
  const run = async (sql: string) => batch(sql);
  await expect(promoteAccount(run, REMOTE, CHANGE)).rejects.toThrow(
    /^Ohara@example\.com is not confirmed.*Its account u2 was made on 1970-01-01 00:00 UTC\..*--remote --unverified$/,
  );
  expect(admins()).toEqual([]);
  const allowed = { ...REMOTE, allowsUnverified: true };
  expect(await promoteAccount(run, allowed, CHANGE)).toEqual({ ...FOUND, isChanged: true });
  expect(admins()).toEqual([{ id: "u2" }]);
  expect(await promoteAccount(run, REMOTE, { ...CHANGE, eventId: "e2" })).toEqual({
    ...FOUND,
    isChanged: false,
  });
});

test("here it is promoted at once; a confirmed one is on the deployed database as well", async () => {
  const run = async (sql: string) => batch(sql);
  expect(await promoteAccount(run, LOCAL, CHANGE)).toEqual({ ...FOUND, isChanged: true });
  database.exec("update users set is_email_verified = 1, created_at = 1795347868474 where id = 'u1'");
  const confirmed = { ...REMOTE, email: "o'hara@example.com" };
  expect(await promoteAccount(run, confirmed, { ...CHANGE, eventId: "e3" })).toEqual({
    ...{ id: "u1", isVerified: true, isChanged: true, madeAt: "2026-11-22 11:44 UTC" },
  });
});

test("an account that changes while it is read is not promoted; for an unknown address the line says to sign up", async () => {
  const run = async (sql: string) => {
    const found = batch(sql);
    database.exec("update users set is_email_verified = 1");
    return found;
  };
  await expect(promoteAccount(run, LOCAL, CHANGE)).rejects.toThrow(
    "changed while it was read. Nothing was written",
  );
  const unknown = { ...LOCAL, email: "ghost@example.com" };
  await expect(promoteAccount(run, unknown, CHANGE)).rejects.toThrow(
    "No account in the local database has the address ghost@example.com. Sign up first, then run this again.",
  );
});

test("a locked database is tried again, with a pause, and given up in one line", async () => {
  const pauses: number[] = [];
  const on = { pause: async (ms: number) => void pauses.push(ms), say: () => {} };
  let locked = 3;
  const run = async (sql: string) => {
    locked -= 1;
    if (locked >= 0) throw new DatabaseLocked();
    return batch(sql);
  };
  expect(await promoteAccount(run, LOCAL, CHANGE, on)).toEqual({ ...FOUND, isChanged: true });
  expect(pauses).toEqual([500, 500, 500]);
  locked = Number.POSITIVE_INFINITY;
  await expect(promoteAccount(run, LOCAL, CHANGE, on)).rejects.toThrow(
    /^The local database is locked by another process \(SQLITE_BUSY, 8 attempts\)\. Nothing was changed: [^\n]*$/,
  );
});

test("a change whose answer the lock swallowed is found, and not made twice", async () => {
  let isSwallowed = false;
  const run = async (sql: string) => {
    const found = batch(sql);
    if (isSwallowed || !sql.startsWith("update")) return found;
    isSwallowed = true;
    throw new DatabaseLocked();
  };
  expect(await promoteAccount(run, LOCAL, CHANGE, { pause: async () => {}, say: () => {} })).toEqual({
    ...FOUND,
    isChanged: true,
  });
  expect(rows("select count(*) as n from audit_log")).toEqual([{ n: 1 }]);
  expect(rows("select version from users where id = 'u2'")).toEqual([{ version: 2 }]);
});

/** Holds the write lock of a database file, in a process of its own, until it is ended. */
async function lockElsewhere(file: string) {
  const code = `const { DatabaseSync } = require("node:sqlite");
    new DatabaseSync(process.argv[1]).exec("begin immediate");
    console.log("locked"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--no-warnings", "-e", code, file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  return holder;
}

test("the command waits for a lock that another process holds, warns of the address, and says when the account was made", async () => {
  const state = await migratedState();
  onTestFinished(() => rmSync(state, { recursive: true, force: true }));
  const folder = join(state, "v3/d1/miniflare-D1DatabaseObject");
  const name = readdirSync(folder).find((file) => /^[0-9a-f]{64}\.sqlite$/.test(file)) ?? "";
  const stored = new DatabaseSync(join(folder, name));
  stored.exec(`insert into users (id, name, email, email_key, role, is_email_verified, last_change_id, created_at, updated_at)
    values ('u1', 'Ada', 'ada@example.com', 'ada@example.com', 'user', 0, 'e0', 1795347868474, 1)`);
  stored.close();

  const holder = await lockElsewhere(join(folder, name));
  const args = ["ada@example.com", "--persist-to", state];
  const child = spawnScript("scripts/admin.mjs", args, { stdio: ["ignore", "pipe", "pipe"] });
  child.stderr?.once("data", () => holder.kill("SIGKILL"));
  const { code, output } = await collect(child);
  expect(output.split("\n").sort()).toEqual([
    "",
    "Log in again or refresh the session: tokens issued before still carry the old role.",
    "The local database is locked. Trying again ...",
    "Warning: this address is not confirmed, so anyone may have signed up with it.",
    "ada@example.com (u1) is an admin now. The account was made on 2026-11-22 11:44 UTC.",
  ]);
  expect(code).toBe(0);
}, 120_000);
