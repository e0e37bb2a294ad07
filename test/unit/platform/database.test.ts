import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { Database } from "../../../src/platform/database";
import { pageFrom } from "../../../src/platform/keyset";
import { newCalls } from "../../../src/platform/observability/calls";

const FIRST = `00000001-00000000-00000000-${"0".repeat(32)}`;
const SECOND = `00000002-00000000-00000000-${"0".repeat(32)}`;

interface Answer {
  readonly bookmark?: string;
  readonly isFromPrimary?: boolean;
  readonly error?: string;
  readonly isSilent?: boolean;
}

/** D1 whose sessions answer as told, one answer a call; and what they were opened with. */
function scripted(...answers: Answer[]) {
  const opened: string[] = [];
  let calls = 0;
  const d1 = {
    prepare: (query: string) => env.DB.prepare(query),
    withSession: (constraint: string) => {
      opened.push(constraint);
      let bookmark: string | null = null;
      return {
        prepare: (query: string) => env.DB.prepare(query),
        getBookmark: () => bookmark,
        batch: async (statements: unknown[]) => {
          const answer = answers[calls] ?? {};
          calls += 1;
          if (answer.isSilent === true) return await new Promise(() => undefined);
          if (answer.error !== undefined) throw new Error(answer.error);
          bookmark = answer.bookmark ?? FIRST;
          const meta = { rows_read: 1, rows_written: 0, served_by_primary: answer.isFromPrimary ?? true };
          return statements.map(() => ({ success: true, results: [], meta }));
        },
      };
    },
  } as unknown as D1Database;
  const spent = newCalls();
  const database = new Database(d1, spent, { deadlineMs: 500 });
  return { database, opened, spent, one: database.build.run(sql`select 1`) };
}

describe("a D1 call that does not succeed at once", () => {
  test.each([
    "Network connection lost.",
    "D1 DB storage caused object to be reset.",
    "D1 DB reset because its code was updated.",
  ])("as a read is repeated after: %s", async (error) => {
    const { database, one, spent } = scripted({ error }, { error });
    await database.read("nearest", [one]);
    expect(spent.d1RoundTrips).toBe(3);
  });

  test("as a read is given up after three attempts, as unavailable and worth repeating", async () => {
    const error = "Network connection lost.";
    const { database, one, spent } = scripted({ error }, { error }, { error });
    const failure = database.read("nearest", [one]);
    await expect(failure).rejects.toMatchObject({
      code: "unavailable",
      isRetryable: true,
      retryAfterSeconds: 1,
    });
    expect(spent.d1RoundTrips).toBe(3);
  });

  test.each([
    "D1 DB is overloaded. Requests queued for too long.",
    "D1 DB storage operation exceeded timeout which caused object to be reset: timed out",
    "Exceeded CPU time limit",
    "Memory limit would be exceeded",
  ])("is not repeated after: %s", async (error) => {
    const { database, one, spent } = scripted({ error });
    await expect(database.read("nearest", [one])).rejects.toMatchObject({ code: "unavailable" });
    expect(spent.d1RoundTrips).toBe(1);
  });

  test("as a write is not repeated, unless it says that it is idempotent", async () => {
    const error = "Network connection lost.";
    const once = scripted({ error });
    await expect(once.database.commit([once.one])).rejects.toMatchObject({ code: "unavailable" });
    expect(once.spent.d1RoundTrips).toBe(1);
    const again = scripted({ error });
    await again.database.commit([again.one], { isIdempotent: true });
    expect(again.spent.d1RoundTrips).toBe(2);
  });

  test("ends at the deadline with 503 and Retry-After, whether it reads or writes", async () => {
    const { database, one } = scripted({ isSilent: true }, { isSilent: true });
    const late = { code: "unavailable", retryAfterSeconds: 2 };
    await expect(database.read("primary", [one])).rejects.toMatchObject(late);
    await expect(database.commit([one])).rejects.toMatchObject(late);
  });
});

describe("where a call is answered", () => {
  test("each call to the primary opens a session of its own, for only a session's first query is sure to reach it", async () => {
    const { database, one, opened } = scripted();
    await database.read("primary", [one]);
    await database.read("primary", [one]);
    await database.commit([one]);
    expect(opened).toEqual(["first-primary", "first-primary", "first-primary"]);
  });

  test("a replica answers what asks for the nearest, but never from before what this request has seen", async () => {
    const { database, one, opened } = scripted({ bookmark: SECOND });
    await database.read("nearest", [one]);
    await database.read("nearest", [one]);
    await database.read({ notBefore: FIRST }, [one]);
    expect(opened).toEqual(["first-unconstrained", SECOND, SECOND]);
  });

  test("a read is stamped with its own session's bookmark, not the latest of the request", async () => {
    const { database, one } = scripted({ bookmark: SECOND }, { bookmark: FIRST, isFromPrimary: false });
    const [newer, older] = [await database.read("primary", [one]), await database.read("nearest", [one])];
    expect(newer).toMatchObject({ bookmark: SECOND, isFromPrimary: true });
    expect(older).toMatchObject({ bookmark: FIRST, isFromPrimary: false });
    expect(database.bookmark()).toBe(SECOND);
  });

  test("a page asks for the state of the page before it, and a client with a bookmark for the primary", () => {
    expect(pageFrom(null, null)).toBe("nearest");
    expect(pageFrom(null, FIRST)).toEqual({ notBefore: FIRST });
    expect(pageFrom(SECOND, FIRST)).toBe("primary");
  });
});
