import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { DatabaseLocked } from "../../scripts/database-lock.mjs";
import { promote as promoteAccount } from "../../scripts/promotion.mjs";
import { collect, spawnScript } from "../../scripts/tools.mjs";
import { migratedState } from "../support/migrated-state";

const AT = 1_800_000_000_000;
const CHANGE = {
  at: AT,
  eventId: "01a202f2-1b2e-7000-9e8e-fe5eefe45b1e",
  updateId: "01a202f2-1b2e-7000-9e8e-fe5eefe45b1f",
  requestId: "request-1",
};

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
    database.prepare("insert into user_profiles (user_id) values (?)").run(id ?? "");
  }
});

/** Runs statements as a batch of D1: all or none, and the rows of each. */
async function batch(sql: string) {
  database.exec("begin");
  const found = sql.split(";\n").map(rows);
  database.exec("commit");
  return found;
}

/** Promotes the account of an address on this machine. @param between happens after the account was read */
async function promote(email: string, change = CHANGE, between = () => {}) {
  const run = async (sql: string) => {
    if (sql.startsWith("update")) between();
    return await batch(sql);
  };
  return await promoteAccount(run, { ...LOCAL, email }, change);
}

function rows(sql: string) {
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}

const LOCAL = {
  email: "Ohara@example.com",
  isRemote: false,
  allowsUnverified: false,
  where: "the local database",
};
const REMOTE = { ...LOCAL, isRemote: true, where: "the deployed database" };
const FOUND = { id: "u2", isVerified: false, madeAt: "1970-01-01 00:00 UTC" };
const admins = () => rows("select id from users where role = 'admin'");

test("the named user alone becomes an admin, its older tokens void, with its two events and one audit row", async () => {
  expect(await promote("O'Hara@Example.com")).toEqual({ ...FOUND, id: "u1", isChanged: true });
  expect(
    rows("select id, role, version, token_epoch, last_change_id, updated_at from users order by id"),
  ).toEqual([
    { id: "u1", role: "admin", version: 2, token_epoch: 2, last_change_id: CHANGE.eventId, updated_at: AT },
    { id: "u2", role: "user", version: 1, token_epoch: 1, last_change_id: "e0", updated_at: 1 },
  ]);
  const event = { source: "/meridian/users", subject: "u1", schema_version: 1, committed_at: AT };
  expect(
    rows("select id, type, source, subject, schema_version, data, committed_at from outbox_events"),
  ).toEqual([
    { id: CHANGE.eventId, type: "user.role_changed", ...event, data: '{"userId":"u1","role":"admin"}' },
    {
      ...{ id: CHANGE.updateId, type: "user.updated", ...event },
      data: '{"userId":"u1","email":"o\'hara@example.com"}',
    },
  ]);
  expect(rows("select at, actor, action, subject, details, request_id from audit_log")).toEqual([
    {
      ...{ at: AT, actor: "system:admin-script", action: "user.change_role", subject: "user:u1" },
      ...{ details: '{"role":"admin"}', request_id: "request-1" },
    },
  ]);
});

test("the user's object is owed the new epoch at once, the cache its refresh, and each subscriber its event", async () => {
  database.exec(
    "insert into event_subscriptions (type, consumer) values ('*', 'hook-1'), ('user.created', 'hook-2')",
  );
  await promote("ohara@example.com");
  expect(
    rows("select event_id, consumer, state, due_at from event_deliveries order by event_id, consumer"),
  ).toEqual([
    { event_id: CHANGE.eventId, consumer: "hook-1", state: "pending", due_at: AT },
    { event_id: CHANGE.eventId, consumer: "revocation-repeat", state: "pending", due_at: AT },
    { event_id: CHANGE.updateId, consumer: "cache-refresh", state: "pending", due_at: AT + 30_000 },
    { event_id: CHANGE.updateId, consumer: "hook-1", state: "pending", due_at: AT },
  ]);
});

test("an account that loses its address between the two reads is not promoted", async () => {
  let reads = 0;
  const run = async (sql: string) => {
    reads += 1;
    if (reads === 2)
      database.exec(
        "update users set email = 'moved@example.com', email_key = 'moved@example.com' where id = 'u2'",
      );
    return await batch(sql);
  };
  await expect(promoteAccount(run, LOCAL, CHANGE)).rejects.toThrow("No account in the local database has");
  expect(admins()).toEqual([]);
});

test("an admin stays one, with no second event", async () => {
  await promote("ohara@example.com");
  const again = { ...CHANGE, eventId: "another", updateId: "yet-another" };
  expect(await promote("ohara@example.com", again)).toEqual({ ...FOUND, isChanged: false });
  expect(rows("select count(*) as events from outbox_events")).toEqual([{ events: 2 }]);
  expect(rows("select version from users where id = 'u2'")).toEqual([{ version: 2 }]);
});

test.each([
  "ghost@example.com",
  "' or '1'='1",
  "what?@example.com",
  "a';drop/**/table/**/users;--@example.com",
])("the address %j, which no account has, changes nothing", async (email) => {
  await expect(promote(email)).rejects.toThrow(`No account in the local database has the address ${email}.`);
  expect(admins()).toEqual([]);
  expect(rows("select count(*) as events from outbox_events")).toEqual([{ events: 0 }]);
});

test("an address with marks of SQL in it is found and recorded as it is", async () => {
  const email = "o'h?ara\"@example.com";
  database.prepare("update users set email = ?, email_key = ? where id = 'u1'").run(email, email);
  expect(await promote(email)).toMatchObject({ id: "u1", isChanged: true });
  const [, updated] = rows("select data from outbox_events order by sequence");
  expect(JSON.parse(String(updated?.data))).toEqual({ userId: "u1", email });
});

test.each([
  [
    "the address belongs to another account",
    `update users set email_key = 'moved', last_change_id = 'e1' where id = 'u2';
     update users set email_key = 'ohara@example.com', last_change_id = 'e1' where id = 'u1'`,
  ],
  [
    "the account is another one of that address",
    `delete from user_profiles where user_id = 'u2'; delete from users where id = 'u2';
     insert into users (id, name, email, email_key, role, is_email_verified, last_change_id, created_at, updated_at)
       values ('u3', 'Name', 'ohara@example.com', 'ohara@example.com', 'user', 0, 'e1', 1, 1);
     insert into user_profiles (user_id) values ('u3')`,
  ],
  [
    "the address is no longer confirmed as it was",
    "update users set is_email_verified = 1, last_change_id = 'e1' where id = 'u2'",
  ],
])("between the read and the change %s: nothing is written", async (_, meanwhile) => {
  await expect(promote("ohara@example.com", CHANGE, () => database.exec(meanwhile))).rejects.toThrow(
    "changed while it was read. Nothing was written",
  );
  expect(admins()).toEqual([]);
  for (const table of ["outbox_events", "event_deliveries", "audit_log"])
    expect([table, rows(`select count(*) as n from ${table}`)]).toEqual([table, [{ n: 0 }]]);
});

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
  let changes = 0;
  const run = async (sql: string) => {
    const found = await batch(sql);
    changes += 1;
    database.exec(`update users set is_email_verified = 1, last_change_id = 'e${changes}'`);
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
    const found = await batch(sql);
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
  stored.exec("insert into user_profiles (user_id) values ('u1')");
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
