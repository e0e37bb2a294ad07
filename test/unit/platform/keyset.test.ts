import { expect, test } from "vitest";
import type { CursorPosition, Page } from "../../../src/kernel/cursor";
import type { Outcome } from "../../../src/kernel/errors";
import type { Database, ReadFrom } from "../../../src/platform/database";
import { Keyset } from "../../../src/platform/keyset";
import type { Scope } from "../../../src/platform/scope";
import { Sealer } from "../../../src/platform/sealing";
import { TEST_SECRETS } from "../../support/secrets";

interface Item {
  readonly id: string;
  readonly at: number;
}

/** Two items of one time, so that the id must break the tie. */
const STORED: readonly Item[] = ["a", "b", "c", "d", "e"].map((id, at) => ({ id, at: Math.floor(at / 2) }));

function keysetOf(clientBookmark: string | null = null): Keyset {
  const database = { bookmark: () => "bookmark-of-the-read" } as Database;
  return new Keyset(database, new Sealer(TEST_SECRETS.DATA_KEY), { clientBookmark } as Scope);
}

/** A list over the stored items, and from where each page was read. */
function listing(keyset = keysetOf()) {
  const reads: ReadFrom[] = [];
  const read = async (after: CursorPosition | null, from: ReadFrom, limit: number) => {
    reads.push(from);
    const isBeyond = ({ at, id }: Item) =>
      after === null || at > +after.key || (at === after.key && id > after.id);
    return STORED.filter(isBeyond).slice(0, limit + 1);
  };
  const list = (purpose: string, limit: number, cursor?: string) =>
    keyset.list(
      purpose,
      { limit, cursor },
      (after, from) => read(after, from, limit),
      ({ at }) => at,
    );
  return { list, reads };
}

function pageIn(outcome: Outcome<Page<Item>>): Page<Item> {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

test.each([1, 2, 3, 5, 100])("pages of %d show every item once, in order, and end", async (limit) => {
  const { list } = listing();
  const seen: Item[] = [];
  let cursor: string | null | undefined;
  do {
    const { data, nextCursor } = pageIn(await list("items", limit, cursor ?? undefined));
    expect(data.length).toBeLessThanOrEqual(limit);
    expect(data).not.toEqual([]);
    seen.push(...data);
    cursor = nextCursor;
  } while (cursor !== null);
  expect(seen).toEqual(STORED);
});

test("a cursor of another list, and one that was changed, is refused before anything is read", async () => {
  const { list, reads } = listing();
  const { nextCursor } = pageIn(await list("items", 2));
  for (const [purpose, cursor] of [
    ["others", nextCursor],
    ["items", `${nextCursor}A`],
  ] as const) {
    const outcome = await list(purpose, 2, cursor ?? undefined);
    expect(outcome).toMatchObject({ ok: false, refusal: { code: "validation_failed" } });
  }
  expect(reads).toHaveLength(1);
});

test("the next page is read from no older state than the page before", async () => {
  const { list, reads } = listing();
  const { nextCursor } = pageIn(await list("items", 2));
  await list("items", 2, nextCursor ?? undefined);
  expect(reads).toEqual(["nearest", { notBefore: "bookmark-of-the-read" }]);
});
