/**
 * KV under the isolate's memory. It may be slow, late, over its quota or gone: none of that is an error to a request.
 * Failures are counted and logged, and after several in a row it is left alone for a while.
 */
import { AppError } from "../../kernel/errors";
import { withDeadline } from "../deadline";
import type { Scope } from "../scope";
import { type CacheEntry, decodeEntry, encodeEntry } from "./cache-entry";
import { Circuit } from "./circuit";

/** What is needed of a KV namespace. */
export interface KvStore {
  get(key: string, options: { type: "text"; cacheTtl: number }): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
}

/** KV refuses less of either. */
const CACHE_TTL_SECONDS = 30;
const EXPIRATION_TTL_MIN_SECONDS = 60;

/** A cold read takes tens of milliseconds; past this D1 is asked instead. */
const READ_DEADLINE_MS = 1_000;
const WRITE_DEADLINE_MS = 5_000;

/** Of an isolate. Reads and writes have quotas of their own, so they fail apart. */
export interface KvCircuits {
  readonly reads: Circuit;
  readonly writes: Circuit;
}

export function newKvCircuits(): KvCircuits {
  const options = { failuresMax: 3, openMs: 30_000 };
  return { reads: new Circuit(options), writes: new Circuit(options) };
}

export class KvTier<Value> {
  readonly #kv: KvStore;
  readonly #circuits: KvCircuits;
  readonly #format: number;
  readonly #scope: Scope;

  constructor(options: { kv: KvStore; circuits: KvCircuits; format: number; scope: Scope }) {
    this.#kv = options.kv;
    this.#circuits = options.circuits;
    this.#format = options.format;
    this.#scope = options.scope;
  }

  /** The entry with the size of its text, or null: not there, expired, unreadable, or KV is failing. **Cost**: 1 KV read. */
  async readEntry(key: string): Promise<{ entry: CacheEntry<Value>; length: number } | null> {
    const { calls, clock } = this.#scope;
    if (!this.#circuits.reads.allows(clock())) return null;
    calls.kvReads += 1;
    try {
      const text = await withDeadline(
        this.#kv.get(key, { type: "text", cacheTtl: CACHE_TTL_SECONDS }),
        READ_DEADLINE_MS,
        late,
      );
      this.#circuits.reads.succeeded();
      const entry = text === null ? null : decodeEntry<Value>(text, this.#format);
      return entry === null || entry.expiresAtMs <= clock() ? null : { entry, length: text?.length ?? 0 };
    } catch (error) {
      this.#failed("reads", error);
      return null;
    }
  }

  /** Whether writes have failed so often that they are kept back for now. */
  refusesWrites(): boolean {
    return this.#circuits.writes.isOpen();
  }

  /**
   * True when KV took the entry. `isForced` writes although KV was failing a moment ago.
   * **Cost**: 1 KV write; none when the entry has expired meanwhile or KV is left alone.
   */
  async write(key: string, entry: CacheEntry<Value>, options = { isForced: false }): Promise<boolean> {
    const { calls, clock } = this.#scope;
    const remainingSeconds = Math.ceil((entry.expiresAtMs - clock()) / 1_000);
    if (remainingSeconds <= 0) return false;
    if (!options.isForced && !this.#circuits.writes.allows(clock())) return false;
    calls.kvWrites += 1;
    try {
      const expirationTtl = Math.max(remainingSeconds, EXPIRATION_TTL_MIN_SECONDS);
      const put = this.#kv.put(key, encodeEntry(entry, this.#format), { expirationTtl });
      await withDeadline(put, WRITE_DEADLINE_MS, late);
      this.#circuits.writes.succeeded();
      return true;
    } catch (error) {
      this.#failed("writes", error);
      return false;
    }
  }

  #failed(kind: keyof KvCircuits, error: unknown): void {
    const { calls, clock, log } = this.#scope;
    calls.kvFailures += 1;
    // One key takes one write a second: that says nothing about the next key.
    const hasOpened = !isTooMany(error) && this.#circuits[kind].failed(clock());
    log.log("warn", hasOpened ? "cache.kv_left_alone" : "cache.kv_failed", { kind, error });
  }
}

function late(): Error {
  return new AppError("unavailable", "KV did not answer in time");
}

function isTooMany(error: unknown): boolean {
  return error instanceof Error && error.message.includes("429");
}
