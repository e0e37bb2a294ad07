import { eq, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { users } from "../../../drizzle/schema/users";
import { Database, type Statement } from "../../../src/platform/database";
import { newCalls } from "../../../src/platform/observability/calls";
import { prepared, preparedAround, value } from "../../../src/platform/prepared-statement";

interface Bound {
  readonly text: string;
  readonly params: readonly unknown[];
}

/** A D1 that answers each statement with what it was. */
function echoing(): Database {
  const prepare = (text: string) => ({ bind: (...params: unknown[]): Bound => ({ text, params }) });
  const meta = { rows_read: 0, rows_written: 0, served_by_primary: true };
  const session = {
    prepare,
    getBookmark: () => null,
    batch: async (statements: Bound[]) =>
      statements.map(({ text, params }) => ({ results: [{ name: `${text} ${params.join()}` }], meta })),
  };
  return new Database({ prepare, withSession: () => session } as unknown as D1Database, newCalls());
}

test("its text is built once for all databases, its values are bound each time", async () => {
  let builds = 0;
  const nameOf = prepared((on) => {
    builds += 1;
    return on
      .select({ name: users.name })
      .from(users)
      .where(eq(users.id, value("id")));
  });
  for (const id of ["a", "b"]) {
    const {
      rows: [rows],
    } = await echoing().read("primary", [nameOf(echoing(), { id })]);
    expect(rows).toEqual([{ name: `select "name" from "users" where "users"."id" = ? ${id}` }]);
  }
  expect(builds).toBe(1);
});

test("of each constant that it is built around one is kept", () => {
  const built: string[] = [];
  const around = preparedAround((part: { readonly word: string }) =>
    prepared((on): Statement => {
      built.push(part.word);
      return on
        .select({ name: users.name })
        .from(users)
        .where(sql`${value("id")} = ${part.word}`);
    }),
  );
  const [first, second] = [{ word: "first" }, { word: "second" }];
  for (const key of [first, second, first]) around(key)(echoing(), { id: 1 });
  expect(built).toEqual(["first", "second"]);
});

test("a value that is missing is a bug, not a null", async () => {
  const nameOf = prepared((on) =>
    on
      .select()
      .from(users)
      .where(eq(users.id, value("id"))),
  );
  await expect(echoing().read("primary", [nameOf(echoing(), { di: "a" })])).rejects.toThrow();
});
