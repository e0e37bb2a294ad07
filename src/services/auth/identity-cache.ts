/**
 * Whom the subjects of trusted issuers are here, apart from their tokens: in isolate memory over KV, so that a new
 * token of a known subject needs no D1 call. Filled from the primary alone, by `ForeignTokens`.
 *
 * It says who somebody was, never that nothing was revoked since: that comes with the lease, and what it makes doubtful
 * is read from the primary. So nothing here may live as long as a revocation does in the user's object.
 */
import type { Role } from "../../kernel/actor";
import { type KvCircuits, type KvStore, KvTier, newKvCircuits } from "../../platform/cache/kv-tier";
import type { Deriver } from "../../platform/deriver";
import type { Scope } from "../../platform/scope";
import type { Sealer } from "../../platform/sealing";
import { TokenMemory } from "./token-memory";

/** Whom D1 said that a subject is. */
export interface Identity {
  readonly userId: string;
  readonly role: Role;
  /** The user's epoch then. */
  readonly epoch: number;
  /** Seconds: a token that was issued then is this user's; so is any that was issued since, and none before is known to be. */
  readonly issuedFrom: number;
  /** When that read began. */
  readonly readAtMs: number;
}

/** Raise it with every change to the shape of `Identity`. */
const FORMAT = 1;
/** From the start of its read. A half of what an epoch is kept for in the object (`EPOCH_KEPT_MS`). */
export const IDENTITY_LIFE_MS = 43_200_000;
/** In isolate memory, and until a look at the primary is due; nobody waits for that one. */
export const IDENTITY_FRESH_MS = 300_000;

/** Shared by the requests of an isolate; values only. */
export interface IdentityMemory {
  readonly known: TokenMemory<Identity>;
  readonly circuits: KvCircuits;
}

export function newIdentityMemory(): IdentityMemory {
  return { known: new TokenMemory<Identity>(), circuits: newKvCircuits() };
}

export interface IdentityCacheOptions {
  readonly kv: KvStore;
  readonly memory: IdentityMemory;
  readonly deriver: Pick<Deriver, "derive">;
  readonly sealer: Pick<Sealer, "seal" | "open">;
  readonly scope: Scope;
}

export class IdentityCache {
  readonly #on: IdentityCacheOptions;
  readonly #kv: KvTier<string>;

  constructor(options: IdentityCacheOptions) {
    const { kv, memory, scope } = options;
    this.#on = options;
    this.#kv = new KvTier<string>({ kv, circuits: memory.circuits, format: FORMAT, scope });
  }

  /** An HMAC under `DATA_KEY`: of who has an account here nothing can be read, or guessed, in KV. */
  async keyOf(issuer: string, subject: string): Promise<string> {
    return `identity:${await this.#on.deriver.derive(`identity ${FORMAT}`, JSON.stringify([issuer, subject]))}`;
  }

  /** Null when nothing is known. **Errors**: none. **Cost**: nothing from memory, else 1 KV read. */
  async recall(key: string): Promise<Identity | null> {
    const { memory, sealer, scope } = this.#on;
    const remembered = memory.known.recall(key, scope.clock());
    if (remembered !== null) return remembered;
    const sealed = (await this.#kv.readEntry(key))?.entry.value ?? null;
    // Whoever can write KV could make himself anybody otherwise, or give an old entry a new life.
    const opened = sealed === null ? null : await sealer.open(key, sealed);
    if (opened === null) return null;
    const identity = opened as Identity; // The seal vouches for the shape, and the key for its format.
    if (identity.readAtMs + IDENTITY_LIFE_MS <= scope.clock()) return null;
    this.#remember(key, identity);
    return identity;
  }

  /** Whether the primary should be asked again, after the answer. */
  isDue({ readAtMs }: Identity): boolean {
    return readAtMs + IDENTITY_FRESH_MS <= this.#on.scope.clock();
  }

  /** What the primary just said. **Cost**: 1 KV write after the response, if it says something new or KV's copy is old. */
  put(key: string, identity: Identity): void {
    const { memory, scope } = this.#on;
    const replaced = memory.known.recall(key, scope.clock());
    this.#remember(key, identity);
    if (replaced === null || !isAsGood(replaced, identity))
      scope.afterResponse(() => this.#write(key, identity));
  }

  #remember(key: string, identity: Identity): void {
    const { memory, scope } = this.#on;
    const nowMs = scope.clock();
    const expiresAt = Math.min(nowMs + IDENTITY_FRESH_MS, identity.readAtMs + IDENTITY_LIFE_MS);
    memory.known.remember(key, identity, { nowMs, expiresAt });
  }

  async #write(key: string, identity: Identity): Promise<void> {
    const { readAtMs } = identity;
    const value = await this.#on.sealer.seal(key, identity);
    const expiresAtMs = readAtMs + IDENTITY_LIFE_MS;
    await this.#kv.write(key, { value, bookmark: null, readAtMs, expiresAtMs });
  }
}

function isAsGood(known: Identity, next: Identity): boolean {
  const isYoung = next.readAtMs - known.readAtMs < IDENTITY_LIFE_MS / 2;
  const isSame = known.userId === next.userId && known.role === next.role && known.epoch === next.epoch;
  return isYoung && isSame && known.issuedFrom === next.issuedFrom;
}
