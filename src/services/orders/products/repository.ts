/** The products in D1. Reads return models; writes return statements, for a batch of the caller's. */
import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import { products } from "../../../../drizzle/schema/orders";
import { toTimestamp } from "../../../kernel/clock";
import type { CursorPosition } from "../../../kernel/cursor";
import type { Database, Statement } from "../../../platform/database";
import { isOneOf } from "../../../platform/is-one-of";
import { type Mark, MarkedTable, type PendingMark } from "../../../platform/mark";
import type { ListProductsQuery, PatchProductInput, Product } from "./schemas";

export const PRODUCTS = new MarkedTable(products);

/** So many pieces of a product. */
export interface Pieces {
  readonly productId: string;
  readonly quantity: number;
}

export type ProductRow = typeof products.$inferSelect;

export class ProductRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  selectById(id: string) {
    return this.#database.build.select().from(products).where(eq(products.id, id)).limit(1);
  }

  selectBySku(sku: string) {
    return this.#database.build
      .select({ id: products.id })
      .from(products)
      .where(eq(products.sku, sku))
      .limit(1);
  }

  selectByIds(ids: readonly string[]) {
    return this.#database.build.select().from(products).where(isOneOf(products.id, ids));
  }

  /** What is left of them, and whether the guard holds, as a batch leaves it. */
  selectLeft(ids: readonly string[], guard: SQL) {
    return this.#database.build
      .select({ id: products.id, stock: products.stock, isHeld: sql<number>`${guard}`.as("is_held") })
      .from(products)
      .where(isOneOf(products.id, ids));
  }

  /** Newest first, one row more than asked for. **Cost**: an index range. */
  selectPage(query: ListProductsQuery, after: CursorPosition | null) {
    return this.#database.build
      .select()
      .from(products)
      .where(
        and(
          query.sku === undefined ? undefined : eq(products.sku, query.sku),
          after === null
            ? undefined
            : sql`(${products.createdAt}, ${products.id}) < (${after.key}, ${after.id})`,
        ),
      )
      .orderBy(desc(products.createdAt), desc(products.id))
      .limit(query.limit + 1);
  }

  /** A taken SKU violates `products.sku`. */
  insert(product: Product, { changeId, at }: Mark): Statement {
    const { createdAt: _created, updatedAt: _updated, ...columns } = product;
    return this.#database.build
      .insert(products)
      .values({ ...columns, lastChangeId: changeId, createdAt: at, updatedAt: at });
  }

  /**
   * Changes the row while no administrator has changed it since. A sale in between is no obstacle, unless the change holds
   * for one version only.
   */
  update(mark: PendingMark, patch: PatchProductInput, version: number | null): Statement {
    return this.#database.build
      .update(products)
      .set({
        ...withoutUndefined(patch),
        version: sql`${products.version} + 1`,
        updatedAt: mark.at,
        lastChangeId: mark.changeId,
      })
      .where(and(PRODUCTS.isStill(mark), version === null ? undefined : eq(products.version, version)));
  }

  /** Takes the product away, where the mark holds. Orders keep what they bought: no line refers to a product. */
  remove(mark: Mark) {
    return this.#database.build
      .delete(products)
      .where(and(eq(products.id, mark.id), PRODUCTS.isMarkedBy(mark)));
  }

  /** Takes the pieces, each product once. The table's check on `stock` is the last guard, should all others fail. */
  takeStock(pieces: readonly Pieces[], at: number, guard: SQL): Statement {
    return this.#moveStock(pieces, at, guard, sql`-`);
  }

  /** Puts the pieces back. A product that is gone is passed over. */
  returnStock(pieces: readonly Pieces[], at: number, guard: SQL): Statement {
    return this.#moveStock(pieces, at, guard, sql`+`);
  }

  #moveStock(pieces: readonly Pieces[], at: number, guard: SQL, direction: SQL): Statement {
    const quantities = quantitiesOf(pieces);
    return this.#database.build
      .update(products)
      .set({
        stock: sql`${products.stock} ${direction} (select value from json_each(${quantities}) where key = ${products.id})`,
        version: sql`${products.version} + 1`,
        updatedAt: at,
      })
      .where(sql`${products.id} in (select key from json_each(${quantities})) and ${guard}`);
  }
}

/** Holds while every product exists with as many pieces as are wanted. */
export function areAvailable(pieces: readonly Pieces[]): SQL {
  return sql`not exists (
    select 1 from json_each(${quantitiesOf(pieces)}) wanted left join ${products} on ${products.id} = wanted.key
    where ${products.id} is null or ${products.stock} < wanted.value)`;
}

export function toProduct({ lastChangeId: _lastChangeId, ...row }: ProductRow): Product {
  return {
    id: row.id,
    sku: row.sku,
    name: row.name,
    priceMinor: row.priceMinor,
    currency: row.currency,
    stock: row.stock,
    version: row.version,
    createdAt: toTimestamp(row.createdAt),
    updatedAt: toTimestamp(row.updatedAt),
  };
}

/** `{id: quantity}` as JSON: one parameter, however many products. */
function quantitiesOf(pieces: readonly Pieces[]): string {
  return JSON.stringify(Object.fromEntries(pieces.map(({ productId, quantity }) => [productId, quantity])));
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}
