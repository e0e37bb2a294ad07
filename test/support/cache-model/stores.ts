/** D1 with lagging replicas and KV with late locations, as bad as the platform's documentation allows, in virtual time. */
import type { KvStore } from "../../../src/platform/cache/kv-tier";
import type { ReadFrom, Stamped } from "../../../src/platform/database";
import type { VirtualTime } from "../virtual-time";

export type Random = () => number;

/** What the promise supposes of the platform. */
export const REPLICA_LAG_MAX_MS = 30_000;
export const KV_VISIBLE_MAX_MS = 60_000;
/** A put that was accepted takes effect within this. */
const KV_PUT_MAX_MS = 15_000;
const D1_STALL_MAX_MS = 25_000;

/** How far an isolate is from all else: the share of its calls that are slow, and then rather slow than not. */
export class Network {
  readonly #random: Random;
  readonly #slowShare: number;

  constructor(random: Random, slowShare: number) {
    this.#random = random;
    this.#slowShare = slowShare;
  }

  latencyMs(usualMaxMs: number, slowMaxMs: number): number {
    const isSlow = this.#random() < this.#slowShare;
    return isSlow ? Math.sqrt(this.#random()) * slowMaxMs : this.#random() * usualMaxMs;
  }
}

export interface Commit {
  readonly userId: string;
  readonly atMs: number;
  readonly isDeletion: boolean;
}

/** The history of the database. A row's version is the number of the commit that made it. */
export class FakeD1 {
  readonly commits: Commit[] = [];
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #replicas: [number, number] = [0, 0];

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** Travels, commits, travels back. Answers the number of the commit; null when the user is gone meanwhile. */
  async commit(userId: string, isDeletion: boolean, network: Network): Promise<number | null> {
    await this.#time.sleep(network.latencyMs(100, 5_000));
    const isGone = this.commits.some((commit) => commit.userId === userId && commit.isDeletion);
    if (isGone) return null;
    this.commits.push({ userId, isDeletion, atMs: this.#time.now });
    const number = this.commits.length;
    await this.#time.sleep(network.latencyMs(100, D1_STALL_MAX_MS));
    return number;
  }

  /** The version of each user, or null, as the server that answered had it. */
  async read(
    from: ReadFrom,
    network: Network,
    stallMaxMs = D1_STALL_MAX_MS,
  ): Promise<Stamped<ReadonlyMap<string, number | null>>> {
    await this.#time.sleep(network.latencyMs(100, stallMaxMs / 2));
    const primary = this.commits.length;
    const replica = this.#replicaPosition();
    const asked = from === "nearest" ? 0 : from === "primary" ? primary + 1 : positionOf(from.notBefore);
    const isFromPrimary = replica < asked || (from === "nearest" && this.#random() < 0.25);
    const position = isFromPrimary ? primary : replica;
    const value = this.#stateAt(position);
    await this.#time.sleep(network.latencyMs(100, stallMaxMs));
    return { value, bookmark: bookmarkAt(position), isFromPrimary };
  }

  /** One replica is anywhere in the last 30 s, one always at the end of them; neither goes back. */
  #replicaPosition(): number {
    const which = this.#random() < 0.5 ? 0 : 1;
    const seenMs = this.#time.now - (which + (1 - which) * this.#random()) * REPLICA_LAG_MAX_MS;
    const position = this.commits.filter((commit) => commit.atMs <= seenMs).length;
    this.#replicas[which] = Math.max(this.#replicas[which], position);
    return this.#replicas[which];
  }

  #stateAt(position: number): Map<string, number | null> {
    const state = new Map<string, number | null>();
    this.commits.slice(0, position).forEach(({ userId, isDeletion }, index) => {
      state.set(userId, isDeletion ? null : index + 1);
    });
    return state;
  }
}

export function bookmarkAt(position: number): string {
  return `${position.toString(16).padStart(8, "0")}-00000000-00000000-${"0".repeat(32)}`;
}

export function positionOf(bookmark: string): number {
  return Number.parseInt(bookmark.slice(0, 8), 16);
}

interface Put {
  readonly atMs: number;
  readonly text: string;
  readonly expiresAtMs: number;
}

/** One namespace. The last put to take effect wins; a location shows the state of up to 60 s ago, expired or not. */
export class FakeKv {
  readonly #puts = new Map<string, Put[]>();
  readonly #time: VirtualTime;
  readonly #random: Random;
  /** Throws for the calls that are to fail. */
  onCall: (kind: "get" | "put") => void = () => undefined;
  /** Sees every text that is put. */
  onPut: (text: string) => void = () => undefined;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** As an isolate's location sees it. */
  binding(network: Network): KvStore {
    return {
      get: async (key) => {
        await this.#time.sleep(network.latencyMs(20, 500));
        this.onCall("get");
        return this.#seenAt(key, this.#time.now - this.#delayMs());
      },
      put: async (key, text, { expirationTtl }) => {
        this.onPut(text);
        await this.#time.sleep(network.latencyMs(200, KV_PUT_MAX_MS));
        this.onCall("put");
        this.apply(key, text, expirationTtl);
      },
    };
  }

  apply(key: string, text: string, ttlSeconds: number): void {
    const atMs = this.#time.now;
    const puts = this.#puts.get(key) ?? [];
    puts.push({ atMs, text, expiresAtMs: atMs + ttlSeconds * 1_000 });
    this.#puts.set(key, puts);
  }

  #delayMs(): number {
    return this.#random() < 0.4 ? 0 : this.#random() * KV_VISIBLE_MAX_MS;
  }

  #seenAt(key: string, atMs: number): string | null {
    const put = this.#puts.get(key)?.findLast((candidate) => candidate.atMs <= atMs);
    return put === undefined || put.expiresAtMs <= atMs ? null : put.text;
  }
}
