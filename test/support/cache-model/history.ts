/**
 * One random history of clients, isolates, a database and a cache, and what it broke. The cache is the real one; D1,
 * KV, the queue and time are not. Each mechanism can be switched off, to show that the laws would notice.
 */
import { laterBookmark } from "../../../src/kernel/bookmark";
import type { CacheTimings } from "../../../src/platform/cache/cache-entry";
import type { ReadFrom, Stamped } from "../../../src/platform/database";
import { pageFrom } from "../../../src/platform/keyset";
import { newCalls } from "../../../src/platform/observability/calls";
import type { Logger } from "../../../src/platform/observability/logger";
import type { Scope } from "../../../src/platform/scope";
import type { Account } from "../../../src/services/users/model";
import { newUserMemory, UserCache, type UserMemory } from "../../../src/services/users/user-cache";
import { VirtualTime } from "../virtual-time";
import { type Mechanism, neverExpiring, timingsWithout } from "./mechanisms";
import { accountOf } from "./model-user";
import { seededRandom } from "./seeded-random";
import { bookmarkAt, FakeD1, FakeKv, Network, positionOf } from "./stores";

export interface HistoryOptions {
  readonly seed: number;
  /** One message or one write's aftermath is lost. */
  readonly hasFault: boolean;
  readonly off?: Mechanism;
}

const MINUTE_MS = 60_000;
const USERS = ["ada", "grace"] as const;
/** The database's own deadline ends a consumer's read after 5 s. */
const REFRESH_STALL_MAX_MS = 3_300;
const MADE_UP = `ffffffff-ffffffff-ffffffff-${"f".repeat(32)}`;

/** Breaks of the laws, in words. */
export async function breaksOf(options: HistoryOptions): Promise<string[]> {
  const history = new History(options);
  await history.run();
  return history.breaks;
}

interface Client {
  bookmark: string | null;
  /** Per user, the commit of its own last write. */
  readonly wrote: Map<string, number>;
}

interface Isolate {
  memory: UserMemory;
  readonly network: Network;
  readonly clockOffsetMs: number;
  /** Per user, the newest commit that it wrote or answered with, and when. */
  shown: Map<string, { commit: number; atMs: number }>;
}

class History {
  readonly breaks: string[] = [];
  readonly #off: Mechanism | undefined;
  readonly #time = new VirtualTime(0);
  readonly #random: () => number;
  readonly #d1: FakeD1;
  readonly #kv: FakeKv;
  readonly #timings: CacheTimings;
  readonly #isolates: Isolate[];
  readonly #clients: Client[] = [newClient(), newClient()];
  readonly #staleMaxMs: number;
  /** Which write meets the fault. */
  #faultIn: number;
  #kvFailsUntilMs = 0;

  constructor({ seed, hasFault, off }: HistoryOptions) {
    this.#off = off;
    this.#random = seededRandom(seed);
    this.#d1 = new FakeD1(this.#time, this.#random);
    this.#kv = new FakeKv(this.#time, this.#random);
    this.#timings = timingsWithout(off);
    // All are middling, or one of them is far away.
    const slowShares =
      this.#random() < 0.5 ? [0.4, 0.4, 0.4, 0.4, 0.4, 0.4] : [0.9, 0.05, 0.05, 0.05, 0.05, 0.05];
    this.#isolates = slowShares.map((slowShare) => this.#newIsolate(slowShare));
    this.#staleMaxMs = (hasFault ? 4 : 2) * MINUTE_MS;
    this.#faultIn = hasFault ? this.#upTo(2) : -1;
    this.#kv.onPut = (text) => this.#checkPut(text);
    this.#kv.onCall = () => {
      if (this.#time.now < this.#kvFailsUntilMs) throw new Error("KV is not there");
    };
  }

  async run(): Promise<void> {
    // Ada has been here for long; Grace signs up during the history.
    this.#d1.commits.push({ userId: "ada", isDeletion: false, atMs: -10 * MINUTE_MS });
    if (this.#random() < 0.3) this.#oldEntry("ada");
    const firstWriteMs = 20_000;
    const writes = this.#random() < 0.5 ? 1 : 3;
    // One has been here before, and presents what it got then.
    if (this.#clients[0] !== undefined) this.#clients[0].bookmark = bookmarkAt(1);
    for (let write = 0; write < writes; write += 1) {
      this.#at(firstWriteMs + this.#random() * write * 20_000, () => this.#writeSomething());
    }
    // Around the writes, where trouble begins, and around the bounds, where it would show.
    const boundMs = this.#staleMaxMs;
    const windows = [
      [-4_000, 8_000],
      [0, 40_000],
      [boundMs - 60_000, 120_000],
    ] as const;
    for (let read = 0; read < 21; read += 1) {
      const [fromMs, spanMs] = this.#pick(windows);
      this.#at(firstWriteMs + fromMs + this.#random() * spanMs, () => this.#readSomething());
    }
    this.#at(firstWriteMs - 10_000 + this.#random() * 30_000, () => this.#turnPages());
    await this.#time.run();
  }

  #at(atMs: number, act: () => Promise<void>): void {
    void this.#time.sleep(atMs).then(act);
  }

  async #writeSomething(): Promise<void> {
    const client = this.#pick(this.#clients);
    const isolate = this.#pick(this.#isolates);
    const userId = this.#pick(USERS);
    const isDeletion = this.#commitsOf(userId).length > 0 && this.#random() < 0.25;
    const fault = this.#faultIn === 0 ? this.#pick(["lost-message", "crash", "kv-fails"] as const) : null;
    this.#faultIn -= 1;

    const cache = this.#cacheFor(isolate, null);
    const startedAtMs = this.#clockOf(isolate)();
    const { memory } = isolate;
    const commit = await this.#d1.commit(userId, isDeletion, isolate.network);
    if (commit === null) return;
    if (fault === "kv-fails") this.#kvFailsUntilMs = this.#time.now + 20_000;
    if (fault === "crash" || isolate.memory !== memory) return this.#crash(isolate, userId, commit);

    const value = isDeletion ? null : accountOf(userId, commit);
    const isKept = this.#off !== "write-through" && !(isDeletion && this.#off === "tombstone");
    const bookmark = bookmarkAt(commit);
    if (isKept) cache.written(userId, { value, bookmark, isFromPrimary: true }, startedAtMs);
    this.#planRefresh(userId, commit, fault === "lost-message");
    client.bookmark = laterBookmark(client.bookmark, bookmark);
    client.wrote.set(userId, Math.max(commit, client.wrote.get(userId) ?? 0));
    this.#show(isolate, userId, commit);
  }

  /** The isolate dies with what it knew; nobody hears of the commit but the sweep. */
  #crash(isolate: Isolate, userId: string, commit: number): void {
    isolate.memory = newUserMemory(this.#timings);
    isolate.shown = new Map();
    this.#planRefresh(userId, commit, true);
  }

  /** 30 s after the commit, and what the queue takes; without its message, by the sweep's resend at 150 s at the latest. */
  #planRefresh(userId: string, commit: number, isLost: boolean): void {
    if (this.#off === "refresh" || (isLost && this.#off === "resend")) return;
    const afterMs = isLost ? 60_000 + this.#random() * 90_000 : 30_000 + this.#random() * 2_000;
    const dueMs = (this.#d1.commits[commit - 1]?.atMs ?? 0) + afterMs;
    this.#at(dueMs - this.#time.now, () => this.#refresh(userId));
  }

  async #refresh(userId: string): Promise<void> {
    const isolate = this.#pick(this.#isolates);
    const { network } = isolate;
    const cache = this.#cacheFor(isolate, null);
    const load = async (from: ReadFrom) =>
      userIn(await this.#d1.read(from, network, REFRESH_STALL_MAX_MS), userId);
    if (this.#off === "tombstone" && (await load("primary")).value === null) return;
    try {
      await cache.refresh(userId, load);
    } catch {
      await this.#time.sleep(10_000);
      await this.#refresh(userId);
    }
  }

  async #readSomething(): Promise<void> {
    const isolate = this.#pick(this.#isolates);
    const userId = this.#pick(USERS);
    const client = this.#random() < 0.5 ? this.#pick(this.#clients) : null;
    const isLiar = client === null && this.#random() < 0.1;
    const presented = isLiar ? MADE_UP : (client?.bookmark ?? null);
    // Laws hold for what had happened when the request was sent.
    const own = (presented !== null && client?.wrote.get(userId)) || 0;
    const shown = isolate.shown.get(userId);
    const { memory } = isolate;

    const compared = this.#off === "bookmark-comparison" ? null : presented;
    const cache = this.#cacheFor(isolate, compared);
    const load = (from: ReadFrom) => this.#load(userId, from, isolate, compared);
    const account = await cache.read(userId, load);
    // The isolate died, and the request with it.
    if (isolate.memory !== memory) return;
    const commit = this.#commitOf(userId, account);
    if (commit < own) this.#break(`own write ${own} of ${userId} read as ${commit}`);
    if (shown !== undefined && this.#time.now - shown.atMs < 100_000 && commit < shown.commit) {
      this.#break(`an isolate that showed ${shown.commit} of ${userId} went back to ${commit}`);
    }
    this.#checkAge(userId, commit);
    // Nobody can tell from a missing user whether it is gone or not there yet.
    if (account !== null) this.#show(isolate, userId, commit);
  }

  async #load(
    userId: string,
    from: ReadFrom,
    { network }: Isolate,
    presented: string | null,
  ): Promise<Stamped<Account | null>> {
    const isAnywhere = this.#off === "primary-for-bookmarks" && from === "primary";
    const read = userIn(await this.#d1.read(isAnywhere ? "nearest" : from, network), userId);
    const isFromPrimary = read.isFromPrimary || this.#off === "brief-life-of-replica-fills";
    const isPoisoned = this.#off === "own-bookmarks-only";
    return {
      ...read,
      isFromPrimary,
      bookmark: isPoisoned ? laterBookmark(read.bookmark, presented) : read.bookmark,
    };
  }

  /** A list read page by page: each page as new as the one before it, or newer. */
  async #turnPages(): Promise<void> {
    let cursor: string | null = null;
    for (let page = 0; page < 4; page += 1) {
      const from = pageFrom(null, this.#off === "cursor-bookmark" ? null : cursor);
      const { bookmark } = await this.#d1.read(from, this.#pick(this.#isolates).network);
      if (cursor !== null && bookmark !== null && bookmark < cursor) {
        this.#break(
          `page ${page} is from ${positionOf(bookmark)}, the one before from ${positionOf(cursor)}`,
        );
      }
      cursor = bookmark;
      await this.#time.sleep(this.#random() * 5_000);
    }
  }

  /** What was answered was the newest at some moment of the last two (four) minutes. */
  #checkAge(userId: string, commit: number): void {
    const commits = this.#commitsOf(userId);
    const next = commits.find(({ number }) => number > commit);
    if (next === undefined) return;
    const ageMs = this.#time.now - next.atMs;
    if (ageMs > this.#staleMaxMs) {
      const what = next.isDeletion ? "deleted" : "changed";
      this.#break(`${userId} as ${commit} was shown ${Math.round(ageMs / 1_000)} s after it was ${what}`);
    }
  }

  #checkPut(text: string): void {
    const { bookmark } = JSON.parse(text) as { bookmark: string };
    if (positionOf(bookmark) > this.#d1.commits.length) this.#break("KV was given a bookmark of nobody's");
  }

  #cacheFor(isolate: Isolate, clientBookmark: string | null): UserCache {
    const scope: Scope = {
      requestId: "model",
      traceparent: "",
      clientBookmark,
      clock: this.#clockOf(isolate),
      newId: () => "model",
      calls: newCalls(),
      log: SILENT,
      waitUntil: (work) => void work,
      afterResponse: (task) => void task(),
    };
    const kv = this.#kv.binding(isolate.network);
    return new UserCache({
      kv: this.#off === "own-expiry" ? neverExpiring(kv) : kv,
      memory: isolate.memory,
      ttlSeconds: 3_600,
      scope,
      timings: this.#timings,
      pause: this.#time.sleep,
    });
  }

  #clockOf(isolate: Isolate): () => number {
    return () => 1_000_000_000 + this.#time.now + isolate.clockOffsetMs;
  }

  #newIsolate(slowShare: number): Isolate {
    const clockOffsetMs = this.#random() * 1_000 - 500;
    const network = new Network(this.#random, slowShare);
    return { network, memory: newUserMemory(this.#timings), clockOffsetMs, shown: new Map() };
  }

  /** An entry that somebody put there long before. */
  #oldEntry(userId: string): void {
    const readAtMs = 1_000_000_000 - 5 * MINUTE_MS;
    const entry = {
      value: accountOf(userId, 1),
      bookmark: bookmarkAt(1),
      readAtMs,
      expiresAtMs: readAtMs + 60 * MINUTE_MS,
    };
    this.#kv.apply(`user:${userId}`, JSON.stringify({ format: 2, ...entry }), 3_300);
  }

  #show(isolate: Isolate, userId: string, commit: number): void {
    const before = isolate.shown.get(userId);
    if (before !== undefined && before.commit > commit) return;
    isolate.shown.set(userId, { commit, atMs: this.#time.now });
  }

  #commitsOf(userId: string) {
    return this.#d1.commits
      .map((commit, index) => ({ ...commit, number: index + 1 }))
      .filter((commit) => commit.userId === userId);
  }

  /** A missing user is the deletion if there was one, else the time before its first commit. */
  #commitOf(userId: string, account: Account | null): number {
    if (account !== null) return account.user.version;
    return this.#commitsOf(userId).find(({ isDeletion }) => isDeletion)?.number ?? 0;
  }

  #break(what: string): void {
    this.breaks.push(`${what}, at ${Math.round(this.#time.now)} ms`);
  }

  #upTo(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[this.#upTo(items.length)];
    if (item === undefined) throw new RangeError("nothing to pick from");
    return item;
  }
}

const SILENT: Logger = { log: () => undefined };

function newClient(): Client {
  return { bookmark: null, wrote: new Map() };
}

function userIn(read: Stamped<ReadonlyMap<string, number | null>>, userId: string): Stamped<Account | null> {
  const version = read.value.get(userId) ?? null;
  return { ...read, value: version === null ? null : accountOf(userId, version) };
}
