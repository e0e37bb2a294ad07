/**
 * A change of role from outside the Worker: the statements of the users repository, the outbox and the audit trail, run by
 * wrangler instead of a binding. `load-typescript.mjs` bundles this file for Node.
 */
import { consumersOf, delaySecondsOf } from "../src/jobs/registry";
import { emailKey } from "../src/kernel/email-key";
import { AuditTrail } from "../src/platform/audit";
import { Database } from "../src/platform/database";
import { newCalls } from "../src/platform/observability/calls";
import { Outbox } from "../src/platform/outbox";
import type { OutboxOptions } from "../src/platform/outbox/options";
import type { Scope } from "../src/platform/scope";
import type { Account } from "../src/services/users";
import { roleChanged, userEvent } from "../src/services/users/events";
import { firstAccount, USERS, UserRepository } from "../src/services/users/repository";

/** Runs statements as one batch, and returns the rows of each. */
export type Run = (sql: string) => Promise<readonly (readonly object[])[]>;

/** What the change is recorded as. All ids are new UUIDs. */
export interface Change {
  /** Epoch milliseconds. */
  readonly at: number;
  /** The row's mark, and the id of `user.role_changed`. */
  readonly eventId: string;
  /** The id of `user.updated`. */
  readonly updateId: string;
  readonly requestId: string;
}

/** Wrangler takes seconds to start. */
const DEADLINE_MS = 600_000;

/** Returns the account with that address, or null. **Cost**: 2 runs. */
export async function findAccount(run: Run, email: string): Promise<Account | null> {
  const database = databaseOver(run);
  const repository = new UserRepository(database);
  const {
    rows: [[holder]],
  } = await database.read("primary", [repository.selectByEmail(email)]);
  if (holder === undefined) return null;
  const account = await repository.find(holder.id, "primary");
  // The address may have moved between the two reads.
  return account !== null && emailKey(account.user.email) === emailKey(email) ? account : null;
}

/**
 * Promotes exactly the account that was read: if another change came between, nothing is written. No object can be told
 * from here and no message sent: the cron sends the events, and their consumers revoke older tokens and refresh the cache.
 *
 * @returns the account as the batch left it; null when it is gone. **Cost**: 1 run.
 */
export async function promoteAccount(run: Run, account: Account, change: Change): Promise<Account | null> {
  const database = databaseOver(run);
  const repository = new UserRepository(database);
  const scope = {
    requestId: change.requestId,
    traceparent: null,
    clock: () => change.at,
  } as unknown as Scope;
  const outbox = new Outbox({
    database,
    scope,
    consumersOf,
    delaySecondsOf,
    resendSeconds: 0,
  } as OutboxOptions);
  const { id } = account.user;
  const mark = { id, changeId: change.eventId, at: change.at, was: account.lastChangeId };
  const promoted = { ...account.user, role: "admin" as const, version: account.user.version + 1 };
  const marked = { guard: USERS.isMarked, values: USERS.valuesOf(mark) };
  const select = repository.selectById(id);
  const answer = await database.commit([
    ...repository.update(mark, account.user, promoted),
    ...outbox.record({ ...roleChanged(promoted), id: change.eventId, ...marked }),
    ...outbox.record({ ...userEvent("user.updated", promoted), id: change.updateId, ...marked }),
    new AuditTrail(database, scope).record({
      actor: { kind: "system", name: "admin-script" },
      action: "user.change_role",
      subject: `user:${id}`,
      details: { role: "admin" },
      ...marked,
    }),
    select,
  ]);
  return firstAccount(answer.of(select));
}

function databaseOver(run: Run): Database {
  return new Database(d1Over(run), newCalls(), { deadlineMs: DEADLINE_MS });
}

/** As much of a D1 binding as `Database` uses: statements are texts with their values in them. */
function d1Over(run: Run): D1Database {
  // Drizzle binds the values of a statement that has any, and hands over one without values as it is.
  const prepare = (text: string) => ({
    text,
    bind: (...values: unknown[]) => ({ text: printed(text, values) }),
  });
  const meta = { rows_read: 0, rows_written: 0, served_by_primary: true };
  const batch = async (statements: readonly { readonly text: string }[]) => {
    const results = await run(statements.map(({ text }) => text).join(";\n"));
    return results.map((rows) => ({ results: rows, meta }));
  };
  return {
    prepare,
    withSession: () => ({ prepare, batch, getBookmark: () => null }),
  } as unknown as D1Database;
}

/** Strings and quoted names, which are left as they are, and placeholders. */
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g;

/** The statement with its values in place of `?`. */
function printed(text: string, values: readonly unknown[]): string {
  let index = 0;
  return text.replace(TOKENS, (token) => {
    if (token !== "?") return token;
    index += 1;
    return literalOf(values[index - 1]);
  });
}

/** An SQL literal. SQLite knows no escape but the doubled quote. */
function literalOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  throw new TypeError(`no SQL literal for a ${typeof value}`);
}
