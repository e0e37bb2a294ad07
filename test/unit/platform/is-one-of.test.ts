import { env } from "cloudflare:workers";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { expect, test } from "vitest";
import { users } from "../../../drizzle/schema/users";
import { isOneOf } from "../../../src/platform/is-one-of";

const STORED = `(select 'u1' as id union all select 'u2' union all select 'it''s "quoted"') users`;

/** Which of the stored ids D1 finds, and how many parameters it took. */
async function found(ids: readonly string[]): Promise<readonly [unknown[], number]> {
  const { sql, params } = new SQLiteSyncDialect().sqlToQuery(isOneOf(users.id, ids));
  const rows = await env.DB.prepare(`select id from ${STORED} where ${sql}`)
    .bind(...params)
    .raw();
  return [rows.flat(), params.length];
}

test("any number of values take one parameter", async () => {
  const many = Array.from({ length: 500 }, (_, at) => `u${at + 2}`);
  expect(await found(many)).toEqual([["u2"], 1]);
  expect(await found(["u1", `it's "quoted"`])).toEqual([["u1", `it's "quoted"`], 1]);
});

test("no row has one of no values", async () => {
  expect(await found([])).toEqual([[], 1]);
});
