/** The business of products: anyone reads them, administrators write them. One method is one use case. */
import type { Actor } from "../../../kernel/actor";
import { toTimestamp } from "../../../kernel/clock";
import type { Page } from "../../../kernel/cursor";
import { isSatisfied, NO_PRECONDITION, type Precondition } from "../../../kernel/entity-tag";
import { done, type Outcome, refuse, refuseNotFound } from "../../../kernel/errors";
import { authorize } from "../../../kernel/permissions";
import type { AuditTrail } from "../../../platform/audit";
import { type Database, isViolationOf } from "../../../platform/database";
import { type Attempt, unkeyed } from "../../../platform/idempotency";
import { type Keyset, purposeOf } from "../../../platform/keyset";
import type { Scope } from "../../../platform/scope";
import type { Product } from "./model";
import {
  isUnchanged,
  type ProductChange,
  type ProductRepository,
  type ProductRow,
  productChangedBy,
  toProduct,
} from "./repository";
import type { CreateProductInput, ListProductsQuery, PatchProductInput } from "./schemas";

interface Dependencies {
  readonly database: Database;
  readonly repository: ProductRepository;
  readonly audit: AuditTrail;
  readonly keyset: Keyset;
  readonly scope: Scope;
}

/** Sales change the row between the read and the commit: so often a change is tried anew. */
const CHANGE_ATTEMPTS_MAX = 5;

export class ProductService {
  readonly #on: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
  }

  /**
   * **Errors**: `forbidden`, `sku_taken`, those of the key. **Cost**: 1 D1 round trip, 2 with a key.
   */
  async create(
    actor: Actor,
    input: CreateProductInput,
    attempt: Attempt<Product> = unkeyed(),
  ): Promise<Outcome<Product>> {
    const { database, repository, audit, scope } = this.#on;
    const permitted = authorize(actor, "product.write");
    if (!permitted.ok) return permitted;
    // With a key the SKU is looked up beside the claim, so that a taken one need not wait for the commit to fail.
    const { rows, ended } = await attempt.open(
      database,
      attempt.isKeyed ? [repository.selectBySku(input.sku)] : [],
    );
    if (ended !== null) return ended;
    if ((rows[0] ?? []).length > 0) return refuseTakenSku();

    const change = this.#newChange(scope.newId(), NO_PRECONDITION);
    const at = toTimestamp(change.at);
    const product: Product = { id: change.id, ...input, version: 1, createdAt: at, updatedAt: at };
    return await refusingTakenSku(async () => {
      await database.commit([
        repository.insert(product, change),
        audit.record({ actor, action: "product.create", subject: subjectOf(change) }),
        ...(await attempt.record(database, product)),
      ]);
      return done(product);
    });
  }

  /** **Errors**: `not_found`. **Cost**: 1 D1 round trip. */
  async get(id: string): Promise<Outcome<Product>> {
    const { database, repository, keyset } = this.#on;
    const {
      rows: [[row]],
    } = await database.read(keyset.readFrom(), [repository.selectById(id)]);
    return row === undefined ? refuseNotFound() : done(toProduct(row));
  }

  /** Newest first. **Errors**: `validation_failed` (cursor). **Cost**: 1 D1 round trip, `limit` + 1 rows of an index. */
  async list(query: ListProductsQuery): Promise<Outcome<Page<Product>>> {
    const { database, repository, keyset } = this.#on;
    const purpose = purposeOf("products.list", null, query);
    const position = await keyset.open(purpose, query.cursor);
    if (!position.ok) return position;
    const statement = repository.selectPage(query, position.value);
    const {
      rows: [rows],
    } = await database.read(keyset.readFrom(position.value), [statement]);
    const products = rows.map(toProduct);
    return done(await keyset.page(purpose, products, query.limit, ({ createdAt }) => Date.parse(createdAt)));
  }

  /** The cursor of a product in a list, with which the page after it begins. **Cost**: 1 HMAC. */
  async cursorOf(query: ListProductsQuery, { id, createdAt }: Product): Promise<string> {
    const purpose = purposeOf("products.list", null, query);
    return await this.#on.keyset.seal(purpose, { key: Date.parse(createdAt), id });
  }

  /** The products of these ids, in no order; an id that is not there is left out. **Cost**: 1 D1 round trip. */
  async getMany(ids: readonly string[]): Promise<readonly Product[]> {
    const { database, repository, keyset } = this.#on;
    const {
      rows: [rows],
    } = await database.read(keyset.readFrom(), [repository.selectByIds(ids)]);
    return rows.map(toProduct);
  }

  /**
   * Changes what the patch names. Orders keep the prices at which they were placed.
   *
   * With a key the answer must be known before the commit, which therefore demands the version that was read, and is
   * tried anew when a sale came between. Without a key only `If-Match` decides, in the SQL's WHERE.
   *
   * **Errors**: `forbidden`, `not_found`, `precondition_failed`, `sku_taken`, those of the key; `unavailable` when sales
   * win each time. **Cost**: 2 D1 round trips, 1 more for each sale that came between.
   */
  async patch(
    actor: Actor,
    change: { readonly id: string; readonly patch: PatchProductInput; readonly precondition: Precondition },
    attempt: Attempt<Product> = unkeyed(),
  ): Promise<Outcome<Product>> {
    const { database, repository } = this.#on;
    const permitted = authorize(actor, "product.write");
    if (!permitted.ok) return permitted;
    const { rows, ended } = await attempt.open(database, [
      repository.selectById(change.id),
      repository.selectBySku(change.patch.sku ?? ""),
    ]);
    if (ended !== null) return ended;
    let [row] = rows[0];
    const isSkuTaken = rows[1].some((holder) => holder.id !== change.id);
    if (Object.keys(change.patch).length === 0)
      return await this.#leaveAsIs(row, change.precondition, attempt);
    return await refusingTakenSku(async () => {
      for (let round = 1; round <= CHANGE_ATTEMPTS_MAX; round += 1) {
        const current = currentOf(row, change.precondition);
        if (!current.ok) return current;
        if (isSkuTaken) return refuseTakenSku();
        const tried = await this.#tryPatch(actor, current.value, change, attempt);
        if (tried.product !== null) return done(tried.product);
        row = tried.latest;
      }
      return refuseBusy();
    });
  }

  /** An empty patch changes nothing, not even the version; its precondition counts all the same. */
  async #leaveAsIs(
    row: ProductRow | undefined,
    precondition: Precondition,
    attempt: Attempt<Product>,
  ): Promise<Outcome<Product>> {
    const { database } = this.#on;
    const current = currentOf(row, precondition);
    if (!current.ok) return current;
    const [record] = await attempt.record(database, current.value);
    if (record !== undefined) await database.commit([record]);
    return current;
  }

  async #tryPatch(
    actor: Actor,
    current: Product,
    { patch, precondition }: { readonly patch: PatchProductInput; readonly precondition: Precondition },
    attempt: Attempt<Product>,
  ): Promise<{ product: Product | null; latest: ProductRow | undefined }> {
    const { database, repository, audit } = this.#on;
    const expected = attempt.isKeyed ? exactly(current.version) : precondition;
    const change = this.#newChange(current.id, expected);
    const next = patched(current, patch, change.at);
    const guard = productChangedBy(change);
    // A stale `If-Match` is not tried anew. A taken SKU rolls the batch back, and the freeing of the key with it.
    const isDecidedOnce = precondition.kind === "versions" && patch.sku === undefined;
    const selectLatest = repository.selectById(current.id);
    const answer = await database.commit([
      repository.update(change, patch),
      audit.record({
        actor,
        action: "product.update",
        subject: subjectOf(change),
        details: { fields: Object.keys(patch).join(" ") },
        guard,
      }),
      ...(await attempt.record(database, next, guard)),
      ...(isDecidedOnce ? attempt.release(database) : []),
      selectLatest,
    ]);
    const [latest] = answer.of(selectLatest);
    const isMine = latest !== undefined && latest.lastChangeId === change.changeId;
    return { product: isMine ? toProduct(latest) : null, latest };
  }

  /** **Errors**: as `patch`. **Cost**: 2 D1 round trips, a race that was lost included. */
  async delete(
    actor: Actor,
    target: { readonly id: string; readonly precondition: Precondition },
    attempt: Attempt<null> = unkeyed(),
  ): Promise<Outcome<null>> {
    const { database, repository, audit } = this.#on;
    const permitted = authorize(actor, "product.write");
    if (!permitted.ok) return permitted;
    const { rows, ended } = await attempt.open(database, [repository.selectById(target.id)]);
    if (ended !== null) return ended;
    const current = currentOf(rows[0][0], target.precondition);
    if (!current.ok) return current;

    // Guards come before the deletion here: after it there is no row to ask.
    const change = this.#newChange(target.id, target.precondition);
    const guard = isUnchanged(change);
    const {
      rows: [[row]],
    } = await database.commit([
      // The row that the batch decides on: it tells what came of it.
      repository.selectById(target.id),
      audit.record({ actor, action: "product.delete", subject: subjectOf(change), guard }),
      ...(await attempt.record(database, null, guard)),
      repository.remove(change),
      ...attempt.release(database),
    ]);
    const removed = currentOf(row, target.precondition);
    return removed.ok ? done(null) : removed;
  }

  #newChange(id: string, precondition: Precondition): ProductChange {
    const { scope } = this.#on;
    return { id, precondition, changeId: scope.newId(), at: scope.clock() };
  }
}

async function refusingTakenSku(write: () => Promise<Outcome<Product>>): Promise<Outcome<Product>> {
  try {
    return await write();
  } catch (error) {
    if (!isViolationOf(error, "products.sku")) throw error;
    return refuseTakenSku();
  }
}

/** **Errors**: `not_found`, `precondition_failed`. */
function currentOf(row: ProductRow | undefined, precondition: Precondition): Outcome<Product> {
  if (row === undefined) return refuseNotFound();
  return isSatisfied(precondition, row.version) ? done(toProduct(row)) : refuseStale();
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

function exactly(version: number): Precondition {
  return { kind: "versions", versions: [version] };
}

function subjectOf({ id }: ProductChange): string {
  return `product:${id}`;
}

function refuseTakenSku() {
  return refuse("sku_taken", "A product with this SKU exists.", {
    violations: [{ pointer: "#/sku", code: "sku_taken", message: "A product with this SKU exists." }],
  });
}

function refuseStale() {
  return refuse(
    "precondition_failed",
    "The product has another version than `If-Match` names. Nothing was changed.",
  );
}

function refuseBusy() {
  return refuse("unavailable", "The product is being changed by others. Nothing was changed.", {
    retryAfterSeconds: 1,
  });
}
