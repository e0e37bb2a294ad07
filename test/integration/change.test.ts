/** The write path, once for all services: races, repetitions, keys, lost answers, and an object that does not answer. */
import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { products } from "../../drizzle/schema/orders";
import { isSatisfied, type Precondition } from "../../src/kernel/entity-tag";
import { AppError, done, type Outcome, refuse, refuseNotFound, refuseStale } from "../../src/kernel/errors";
import { AuditTrail } from "../../src/platform/audit";
import { callBy } from "../../src/platform/call";
import { change } from "../../src/platform/change";
import type { Decision } from "../../src/platform/change-plan";
import { ConstraintViolation } from "../../src/platform/constraint-violation";
import { type Answer, Database, type Statements } from "../../src/platform/database";
import { type CallKey, runOnce } from "../../src/platform/idempotency";
import { MarkedTable, type PendingMark } from "../../src/platform/mark";
import { storeProduct } from "../support/call-budget/stage";
import { ADMIN, codeOf, countOf, granted, keyed } from "../support/orders";
import { type Bench, bench, rowsOf } from "../support/outbox";

const PRODUCTS = new MarkedTable(products);
const LOST = () => new AppError("unavailable", "Network connection lost", { isRetryable: true });

/** D1 with an answer that is lost, before or after the batch was applied, or another write in between. */
class FaultyDatabase extends Database {
  /** For the next commits, in their order. */
  readonly faults: ("lost-before" | "lost-after" | (() => Promise<unknown>))[] = [];

  override async commit<const T extends Statements>(
    statements: T,
    options?: Parameters<Database["commit"]>[1],
  ): Promise<Answer<T>> {
    const fault = this.faults.shift();
    if (fault === "lost-before") throw LOST();
    if (typeof fault === "function") await fault();
    const answer = await super.commit(statements, options);
    if (fault === "lost-after") throw LOST();
    return answer;
  }
}

interface Shelf extends Bench {
  readonly database: FaultyDatabase;
}

/** One request. */
function open(): Shelf {
  const scope = bench().scope;
  const database = new FaultyDatabase(env.DB, scope.calls);
  const on = bench({ database, scope });
  return { ...on, scope, database };
}

interface Row {
  readonly name: string;
  readonly version: number;
  readonly lastChangeId: string;
}

interface Renaming {
  readonly key?: CallKey;
  readonly precondition?: Precondition;
  readonly tell?: () => Promise<void>;
  readonly cached?: () => Promise<Row | null>;
  readonly isRemoval?: boolean;
  /** Takes the row as the change left it. */
  readonly committed?: (row: Row | null) => void;
}

/** Names a product, or takes it away, with an event and an audit row. Returns what it decided. */
async function rename(
  on: Shelf,
  id: string,
  name: string,
  { isRemoval = false, ...given }: Renaming = {},
): Promise<Outcome<string>> {
  const { database, outbox, scope } = on;
  const { build } = database;
  const call = callBy(ADMIN, given);
  const write = (mark: PendingMark, row: Row): Decision<string> => ({
    writes: [
      build
        .update(products)
        .set({ name, version: row.version + 1, lastChangeId: mark.changeId })
        .where(PRODUCTS.isStill(mark)),
    ],
    answer: `${row.name} to ${name}`,
    events: [{ type: "thing.made", source: "/meridian/things", subject: id, version: 1, data: { name } }],
    details: { fields: "name" },
    ...(given.tell === undefined ? {} : { tell: given.tell }),
    ...(isRemoval ? { last: [build.delete(products).where(PRODUCTS.isMarkedBy(mark))] } : {}),
  });
  const run = () =>
    change({ database, outbox, audit: new AuditTrail(database, scope), scope }, call, {
      ...{ table: PRODUCTS, id, subject: `thing:${id}`, action: "thing.rename", noun: "thing" },
      select: build.select().from(products).where(eq(products.id, id)),
      rowOf: ([row]): Row | null => row ?? null,
      ...(given.cached === undefined ? {} : { cached: given.cached }),
      ...(given.committed === undefined ? {} : { committed: given.committed }),
      decide(row, mark) {
        if (row === null) return refuseNotFound();
        if (!isSatisfied(call.precondition, row.version)) return refuseStale("thing");
        if (row.name === "Sold") return refuse("invalid_transition", "It is sold.");
        return row.name === name ? done({ writes: [], answer: "as it was" }) : done(write(mark, row));
      },
      violations: { "products.sku": () => refuse("sku_taken", "It is taken.") },
    });
  return await runOnce(call.key, run);
}

const other = (id: string, name: string) => () =>
  env.DB.prepare("update products set name = ?, version = version + 1, last_change_id = ? where id = ?")
    .bind(name, `other ${name}`, id)
    .run();

/** How often the change took effect: rows, events and audit rows agree, or the test fails. */
async function effects(id: string): Promise<number> {
  const audits = await countOf("audit_log", `subject = 'thing:${id}'`);
  expect(await countOf("outbox_events", `subject = '${id}'`)).toBe(audits);
  return audits;
}

test("a change writes row, event and audit row under one id, in two round trips", async () => {
  const [id, on] = [await storeProduct(), open()];
  expect(granted(await rename(on, id, "Desk"))).toBe("Lamp to Desk");
  expect(on.scope.calls.d1RoundTrips).toBe(2);
  const [row] = await rowsOf<{ last_change_id: string }>(
    "select last_change_id from products where id = ?",
    id,
  );
  expect(await rowsOf("select id from outbox_events where subject = ?", id)).toEqual([
    { id: row?.last_change_id },
  ]);
  expect(await rowsOf("select details from audit_log where subject = ?", `thing:${id}`)).toEqual([
    { details: '{"fields":"name"}' },
  ]);
  await on.scope.settled();
  expect(on.queue.deliveries).toHaveLength(2);
});

test("a change that lost its race is decided again on the row that its own batch has read", async () => {
  const [id, on] = [await storeProduct(), open()];
  on.database.faults.push(other(id, "Chair"), other(id, "Stool"));
  expect(granted(await rename(on, id, "Desk"))).toBe("Stool to Desk");
  expect(on.scope.calls.d1RoundTrips).toBe(4);
  expect(await effects(id)).toBe(1);
  expect(await countOf("products", `id = '${id}' and name = 'Desk' and version = 4`)).toBe(1);
});

test("a race that ends in a refusal changes nothing and sends nothing", async () => {
  const [id, on] = [await storeProduct(), open()];
  on.database.faults.push(other(id, "Sold"));
  expect(codeOf(await rename(on, id, "Desk"))).toBe("invalid_transition");
  expect(await effects(id)).toBe(0);
  await on.scope.settled();
  expect(on.queue.deliveries).toEqual([]);
});

test("a change that others outrun four times is unavailable, with or without a key, and frees the key", async () => {
  const id = await storeProduct();
  for (const isKeyed of [false, true]) {
    const on = open();
    const key = isKeyed ? { key: keyed(on, { key: "busy" }) } : {};
    if (isKeyed) on.database.faults.push(async () => undefined);
    on.database.faults.push(...["a", "b", "c", "d"].map((name) => other(id, name)));
    expect(await rename(on, id, "Desk", key)).toMatchObject({
      refusal: { code: "unavailable", retryAfterSeconds: 1 },
    });
    expect(on.database.faults).toEqual([]);
  }
  expect(await effects(id)).toBe(0);
  expect(await countOf("idempotency_records")).toBe(0);
});

test("a row that another took away meanwhile is not found", async () => {
  const [id, on] = [await storeProduct(), open()];
  on.database.faults.push(() => env.DB.prepare("delete from products where id = ?").bind(id).run());
  expect(codeOf(await rename(on, id, "Desk"))).toBe("not_found");
  expect(await effects(id)).toBe(0);
});

test.each(["lost-before", "lost-after"] as const)(
  "an answer that was %s the commit: the change takes effect once",
  async (fault) => {
    const [id, on] = [await storeProduct(), open()];
    on.database.faults.push(fault);
    expect(granted(await rename(on, id, "Desk"))).toBe("Lamp to Desk");
    expect(await effects(id)).toBe(1);
    expect(await countOf("products", `id = '${id}' and name = 'Desk' and version = 2`)).toBe(1);
    // Where the batch was applied one read tells so; where it was not, it is committed after that read.
    expect(on.scope.calls.d1RoundTrips).toBe(3);
    expect(on.scope.lines.map(({ event }) => event)).toContain("change.answer_lost");
  },
);

test("an answer that was lost, of a batch that is applied only after it was read back: once all the same", async () => {
  const [id, on] = [await storeProduct(), open()];
  const late = new Database(env.DB, on.scope.calls);
  const commit = on.database.commit.bind(on.database);
  let pending: (() => Promise<unknown>) | null = null;
  on.database.commit = async (statements, options) => {
    if (pending !== null) {
      await pending();
      return await commit(statements, options);
    }
    pending = () => late.commit(statements);
    throw LOST();
  };
  expect(granted(await rename(on, id, "Desk"))).toBe("Lamp to Desk");
  expect(await effects(id)).toBe(1);
});

test.each(["lost-before", "lost-after"] as const)(
  "under a key, an answer that was %s the commit is recorded once and replayed",
  async (fault) => {
    const [id, on] = [await storeProduct(), open()];
    on.database.faults.push(async () => undefined, fault);
    expect(granted(await rename(on, id, "Desk", { key: keyed(on, { key: "k" }) }))).toBe("Lamp to Desk");
    const again = open();
    const key = keyed(again, { key: "k" });
    expect(granted(await rename(again, id, "Desk", { key }))).toBe("Lamp to Desk");
    expect(key.isReplay).toBe(true);
    expect(await effects(id)).toBe(1);
  },
);

test.each([false, true])(
  "a change that took effect, lost its answer and was overwritten is not made again (key: %s)",
  async (isKeyed) => {
    const [id, on] = [await storeProduct(), open()];
    const given = (shelf: Shelf) => (isKeyed ? { key: keyed(shelf, { key: "k" }) } : {});
    on.database.faults.push(...(isKeyed ? [async () => undefined] : []), "lost-after");
    const read = on.database.read.bind(on.database);
    on.database.read = async (from, statements) => {
      // After the commit: the read that tells whether it took effect.
      if (on.database.faults.length === 0) await other(id, "Chair")();
      return await read(from, statements);
    };
    await expect(rename(on, id, "Desk", given(on))).rejects.toMatchObject({ code: "unavailable" });
    expect(await effects(id)).toBe(1);
    expect(await countOf("products", `id = '${id}' and name = 'Chair'`)).toBe(1);
    if (isKeyed) expect(granted(await rename(open(), id, "Desk", given(open())))).toBe("Lamp to Desk");
    expect(await effects(id)).toBe(1);
  },
);

test("a database that keeps losing answers is unavailable after four attempts, and nothing is doubled", async () => {
  const [id, on] = [await storeProduct(), open()];
  on.database.faults.push("lost-before", "lost-before", "lost-before", "lost-before");
  await expect(rename(on, id, "Desk")).rejects.toMatchObject({ code: "unavailable" });
  expect(await effects(id)).toBe(0);
});

test("a removal whose answer was lost is done, whoever took the row away, and its cache learns so", async () => {
  const [id, on] = [await storeProduct(), open()];
  on.database.faults.push("lost-after");
  const left: (Row | null)[] = [];
  const committed = (row: Row | null) => void left.push(row);
  expect((await rename(on, id, "Desk", { isRemoval: true, committed })).ok).toBe(true);
  expect(left).toEqual([null]);
  expect(await countOf("products", `id = '${id}'`)).toBe(0);
  expect(await effects(id)).toBe(1);
});

test("the object is called before the commit; if it does not answer, nothing is written and the key is free", async () => {
  const [id, on] = [await storeProduct(), open()];
  const order: string[] = [];
  on.database.faults.push(
    async () => undefined,
    async () => order.push("commit"),
  );
  const tell = async () => void order.push("tell");
  granted(await rename(on, id, "Desk", { key: keyed(on, { key: "a" }), tell }));
  expect(order).toEqual(["tell", "commit"]);

  const failing = open();
  const silent = async () => {
    throw new AppError("unavailable", "the object did not answer");
  };
  await expect(
    rename(failing, id, "Shelf", { key: keyed(failing, { key: "b" }), tell: silent }),
  ).rejects.toMatchObject({ code: "unavailable" });
  expect(await effects(id)).toBe(1);
  expect(await countOf("idempotency_records", "state = 'claimed'")).toBe(0);
});

test("under a key the answer is recorded with the effect, and a refusal frees the key in the same number of trips", async () => {
  const id = await storeProduct();
  const first = open();
  granted(await rename(first, id, "Desk", { key: keyed(first, { key: "k" }) }));
  await other(id, "Chair")();
  const again = open();
  const key = keyed(again, { key: "k" });
  expect(granted(await rename(again, id, "Desk", { key }))).toBe("Lamp to Desk");
  expect([key.isReplay, again.scope.calls.d1RoundTrips]).toEqual([true, 1]);
  const refused = open();
  refused.database.faults.push(async () => undefined, other(id, "Stool"));
  const precondition = { kind: "versions", versions: [3] } as const;
  expect(
    codeOf(await rename(refused, id, "Bench", { key: keyed(refused, { key: "r" }), precondition })),
  ).toBe("precondition_failed");
  expect(refused.scope.calls.d1RoundTrips).toBe(2);
  expect(await countOf("idempotency_records", "state = 'claimed'")).toBe(0);
  expect(await effects(id)).toBe(1);
});

test("under a key and If-Match, a race that leaves the version as it was is decided again and recorded once", async () => {
  const id = await storeProduct();
  const unversioned = () =>
    env.DB.prepare("update products set last_change_id = 'x' where id = ?").bind(id).run();
  const precondition = { kind: "versions", versions: [1] } as const;
  const raced = open();
  raced.database.faults.push(async () => undefined, unversioned);
  const key = keyed(raced, { key: "k" });
  expect(granted(await rename(raced, id, "Desk", { key, precondition }))).toBe("Lamp to Desk");
  // The lost batch freed the key, so it is claimed again.
  expect(raced.scope.calls.d1RoundTrips).toBe(4);
  const again = keyed(open(), { key: "k" });
  expect(granted(await rename(open(), id, "Desk", { key: again, precondition }))).toBe("Lamp to Desk");
  expect(again.isReplay).toBe(true);
  expect(await effects(id)).toBe(1);
});

test("under a key and If-Match, a constraint that fails the commit is a refusal, and frees the key", async () => {
  const [id, on] = [await storeProduct(), open()];
  const taken = async () => {
    throw new ConstraintViolation("products.sku");
  };
  on.database.faults.push(async () => undefined, taken);
  const precondition = { kind: "versions", versions: [1] } as const;
  expect(codeOf(await rename(on, id, "Desk", { key: keyed(on, { key: "k" }), precondition }))).toBe(
    "sku_taken",
  );
  expect(await countOf("idempotency_records")).toBe(0);
});

test("a change of nothing writes nothing, and its answer is recorded all the same", async () => {
  const [id, on] = [await storeProduct(), open()];
  expect(granted(await rename(on, id, "Lamp", { key: keyed(on, { key: "k" }) }))).toBe("as it was");
  expect(await effects(id)).toBe(0);
  expect(await countOf("products", `id = '${id}' and version = 1`)).toBe(1);
  expect(await countOf("idempotency_records", "state = 'done'")).toBe(1);
});

test("a change begins with the cached row, in one round trip, and a cache that is behind costs one more", async () => {
  const id = await storeProduct();
  const [row] = await rowsOf<{ last_change_id: string }>(
    "select last_change_id from products where id = ?",
    id,
  );
  const cached = async () => ({ name: "Lamp", version: 1, lastChangeId: row?.last_change_id ?? "" });
  const on = open();
  expect(granted(await rename(on, id, "Desk", { cached }))).toBe("Lamp to Desk");
  expect(on.scope.calls.d1RoundTrips).toBe(1);
  const behind = open();
  expect(granted(await rename(behind, id, "Shelf", { cached }))).toBe("Desk to Shelf");
  expect(behind.scope.calls.d1RoundTrips).toBe(2);
});

test("no refusal rests on a cached row: one that is behind refuses nothing", async () => {
  const id = await storeProduct();
  await other(id, "Chair")();
  const cached = async () => ({ name: "Sold", version: 1, lastChangeId: "old" });
  const precondition = { kind: "versions", versions: [2] } as const;
  const on = open();
  expect(granted(await rename(on, id, "Desk", { cached, precondition }))).toBe("Chair to Desk");
  expect(on.scope.calls.d1RoundTrips).toBe(2);
});

test("a violated constraint is the refusal that the plan gives for it, and any other is thrown", async () => {
  const [id, on] = [await storeProduct(), open()];
  on.database.commit = async () => {
    throw new ConstraintViolation("products.sku");
  };
  expect(codeOf(await rename(on, id, "Desk"))).toBe("sku_taken");
  on.database.commit = async () => {
    throw new ConstraintViolation("products_stock_not_negative");
  };
  await expect(rename(on, id, "Desk")).rejects.toThrow("products_stock_not_negative");
});

test("an answer of another shape version is refused, not misread", async () => {
  const id = await storeProduct();
  const first = open();
  granted(await rename(first, id, "Desk", { key: keyed(first, { key: "k" }) }));
  const newer = open();
  const key = keyed(newer, { key: "k" }, 2);
  expect(codeOf(await rename(newer, id, "Desk", { key }))).toBe("idempotency_key_reused");
});

test("a removal that lost its answer to another removal frees its key", async () => {
  const [id, on] = [await storeProduct(), open()];
  on.database.faults.push(async () => undefined, "lost-before");
  const read = on.database.read.bind(on.database);
  on.database.read = async (from, statements) => {
    await env.DB.prepare("delete from products where id = ?").bind(id).run();
    return await read(from, statements);
  };
  const given = { key: keyed(on, { key: "k" }), isRemoval: true };
  expect((await rename(on, id, "Desk", given)).ok).toBe(true);
  expect(await countOf("idempotency_records", "state = 'claimed'")).toBe(0);
});

test("a change of nothing whose answer is lost is unavailable, and its repetition is replayed", async () => {
  const [id, on] = [await storeProduct(), open()];
  on.database.faults.push(async () => undefined, "lost-after");
  const lost = rename(on, id, "Lamp", { key: keyed(on, { key: "k" }) });
  await expect(lost).rejects.toMatchObject({ code: "unavailable" });
  const again = open();
  const key = keyed(again, { key: "k" });
  expect(granted(await rename(again, id, "Lamp", { key }))).toBe("as it was");
  expect(key.isReplay).toBe(true);
});
