/** The business of products: anyone reads them, administrators write them. One method is one use case. */

import { toTimestamp } from "../../../kernel/clock";
import type { Page } from "../../../kernel/cursor";
import { isSatisfied } from "../../../kernel/entity-tag";
import { done, type Outcome, refuse, refuseNotFound, refuseStale } from "../../../kernel/errors";
import { authorize } from "../../../kernel/permissions";
import type { Call } from "../../../platform/call";
import { change } from "../../../platform/change";
import type { ChangeTools } from "../../../platform/change-plan";
import { type Keyset, purposeOf } from "../../../platform/keyset";
import { PRODUCTS, type ProductRepository, type ProductRow, toProduct } from "./repository";
import type { CreateProductInput, ListProductsQuery, PatchProductInput, Product } from "./schemas";

interface Dependencies extends ChangeTools {
  readonly repository: ProductRepository;
  readonly keyset: Keyset;
}

export class ProductService {
  readonly #on: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
  }

  /** **Errors**: `forbidden`, `sku_taken`, those of the key. **Cost**: 1 D1 round trip, 2 with a key. */
  async create(call: Call, input: CreateProductInput): Promise<Outcome<Product>> {
    const { repository, scope } = this.#on;
    const permitted = authorize(call.actor, "product.write");
    if (!permitted.ok) return permitted;
    const id = scope.newId();
    return await change(this.#on, call, {
      ...{ table: PRODUCTS, id, subject: subjectOf(id), action: "product.create", noun: "product" },
      select: null,
      // Beside the claim of a key, so that a taken SKU need not wait for the commit to fail.
      also: call.key.isGiven ? [repository.selectBySku(input.sku)] : [],
      rowOf: () => null,
      decide(_none, mark, also) {
        if ((also?.[0] ?? []).length > 0) return refuseTakenSku();
        const at = toTimestamp(mark.at);
        const product: Product = { id, ...input, version: 1, createdAt: at, updatedAt: at };
        return done({ writes: [repository.insert(product, mark)], answer: product });
      },
      violations: { "products.sku": refuseTakenSku },
    });
  }

  /** **Errors**: `not_found`. **Cost**: 1 D1 round trip. */
  async get(_call: Call, id: string): Promise<Outcome<Product>> {
    const { database, repository, keyset } = this.#on;
    const {
      rows: [[row]],
    } = await database.read(keyset.readFrom(), [repository.selectById(id)]);
    return row === undefined ? refuseNotFound() : done(toProduct(row));
  }

  /** Newest first. **Errors**: `validation_failed` (cursor). **Cost**: 1 D1 round trip, `limit` + 1 rows of an index. */
  async list(_call: Call, query: ListProductsQuery): Promise<Outcome<Page<Product>>> {
    const { database, repository, keyset } = this.#on;
    return await keyset.list(
      purposeOf("products.list", null, query),
      query,
      async (after, from) => {
        const {
          rows: [rows],
        } = await database.read(from, [repository.selectPage(query, after)]);
        return rows.map(toProduct);
      },
      ({ createdAt }) => Date.parse(createdAt),
    );
  }

  /** The cursor of a product in a list, with which the page after it begins. **Cost**: 1 HMAC. */
  async cursorOf(_call: Call, query: ListProductsQuery, { id, createdAt }: Product): Promise<string> {
    const purpose = purposeOf("products.list", null, query);
    return await this.#on.keyset.seal(purpose, { key: Date.parse(createdAt), id });
  }

  /** The products of these ids, in no order; an id that is not there is left out. **Cost**: 1 D1 round trip. */
  async getMany(_call: Call, ids: readonly string[]): Promise<readonly Product[]> {
    const { database, repository, keyset } = this.#on;
    const {
      rows: [rows],
    } = await database.read(keyset.readFrom(), [repository.selectByIds(ids)]);
    return rows.map(toProduct);
  }

  /**
   * Changes what the patch names. Orders keep the prices at which they were placed. With a key the answer is recorded in the
   * commit, which therefore holds for the version that was read: a sale in between makes it decide again.
   *
   * **Errors**: `forbidden`, `not_found`, `precondition_failed`, `sku_taken`, those of the key; `unavailable` when others
   * are faster each time. **Cost**: 2 D1 round trips, 1 more each time another was faster.
   */
  async patch(call: Call, id: string, patch: PatchProductInput): Promise<Outcome<Product>> {
    const { repository } = this.#on;
    const permitted = authorize(call.actor, "product.write");
    if (!permitted.ok) return permitted;
    const fields = Object.keys(patch);
    return await change(this.#on, call, {
      ...this.#planOf(id, "product.update"),
      also: patch.sku === undefined ? [] : [repository.selectBySku(patch.sku)],
      decide(row, mark, also) {
        const current = currentOf(row, call);
        if (!current.ok) return current;
        if ((also?.[0] ?? []).some((holder) => holder.id !== id)) return refuseTakenSku();
        const product = toProduct(current.value);
        if (fields.length === 0) return done({ writes: [], answer: product });
        return done({
          writes: [repository.update(mark, patch, exactVersion(call, product))],
          answer: patched(product, patch, mark.at),
          details: { fields: fields.join(" ") },
        });
      },
      violations: { "products.sku": refuseTakenSku },
      answerOf: toProduct,
    });
  }

  /** **Errors**: as `patch`. **Cost**: 2 D1 round trips, 1 more each time another was faster. */
  async delete(call: Call, id: string): Promise<Outcome<null>> {
    const { repository } = this.#on;
    const permitted = authorize(call.actor, "product.write");
    if (!permitted.ok) return permitted;
    return await change(this.#on, call, {
      ...this.#planOf(id, "product.delete"),
      decide(row, mark) {
        const current = currentOf(row, call);
        if (!current.ok) return current;
        const version = exactVersion(call, current.value);
        return done({
          writes: [repository.update(mark, {}, version)],
          answer: null,
          last: [repository.remove(mark)],
        });
      },
    });
  }

  #planOf(id: string, action: string) {
    return {
      ...{ table: PRODUCTS, id, subject: subjectOf(id), action, noun: "product" },
      select: this.#on.repository.selectById(id),
      rowOf: ([row]: readonly ProductRow[]) => row ?? null,
    };
  }
}

/** **Errors**: `not_found`, `precondition_failed`. */
function currentOf(row: ProductRow | null, { precondition }: Call): Outcome<ProductRow> {
  if (row === null) return refuseNotFound();
  return isSatisfied(precondition, row.version) ? done(row) : refuseStale("product");
}

/** A sale raises the version without a mark, so what holds for one version only says so in the WHERE. */
function exactVersion({ key, precondition }: Call, { version }: { readonly version: number }): number | null {
  return key.isGiven || precondition.kind === "versions" ? version : null;
}

function patched(current: Product, patch: PatchProductInput, at: number): Product {
  return {
    ...current,
    sku: patch.sku ?? current.sku,
    name: patch.name ?? current.name,
    priceMinor: patch.priceMinor ?? current.priceMinor,
    currency: patch.currency ?? current.currency,
    stock: patch.stock ?? current.stock,
    version: current.version + 1,
    updatedAt: toTimestamp(at),
  };
}

function subjectOf(id: string): string {
  return `product:${id}`;
}

function refuseTakenSku() {
  return refuse("sku_taken", "A product with this SKU exists.", {
    violations: [{ pointer: "#/sku", code: "sku_taken", message: "A product with this SKU exists." }],
  });
}
