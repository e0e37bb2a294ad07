/**
 * An attempt at a call with an `Idempotency-Key`.
 *
 * ```
 * batch 1   claim the key + the reads that decide
 * batch 2   effect + event + answer, only while the claim is held
 * ```
 * A crash between the two leaves a claim that lapses after `LEASE_MS`; the next attempt then takes the key over. Should
 * the first one only have been slow, its batch fails: safety rests on the claim's token, never on clocks.
 */
import type { SQL } from "drizzle-orm";
import type { BatchResponse } from "drizzle-orm/batch";
import { AppError, done, type Outcome } from "../../kernel/errors";
import type { Database, Statement } from "../database";
import { Deriver } from "../deriver";
import { describeError } from "../observability/logger";
import type { Scope } from "../scope";
import { Vault } from "../vault";
import { type Attempt, type Opened, refuseInProgress, refuseReused } from "./attempt";
import { type Claim, claim, free, look, record } from "./records";

/** How long other attempts wait for one that may have died: two D1 calls at their deadlines. */
const LEASE_MS = 10_000;
const KEPT_MS = 24 * 3_600_000;

/** An answer as its protocol sends it, known before the commit. */
export interface Rendered {
  readonly status: number;
  /** Those that matter to a client, and nothing secret: `ETag`, `Location`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null for an answer without a body. */
  readonly body: string | null;
}

/** How a protocol writes a use case's result, and reads it back for a replay. */
export interface Rendering<T> {
  render(value: T): Rendered;
  parse(body: string | null): T;
}

/** Whose key it is, and for what: the same key elsewhere is another key. */
export interface KeyedCall {
  readonly key: string;
  /** The verified user or, without one, the client's address. */
  readonly caller: string;
  /** The HTTP method, or the kind of operation. */
  readonly method: string;
  /** The path, or the operation's name. */
  readonly route: string;
  /** The body as text: two requests are the same when these are equal. */
  readonly request: string;
}

type Row = Awaited<ReturnType<typeof look>>[number];

export class KeyedAttempt<T> implements Attempt<T> {
  readonly isKeyed = true;
  readonly #call: KeyedCall;
  readonly #rendering: Rendering<T>;
  readonly #deriver: Deriver;
  readonly #vault: Vault;
  readonly #scope: Scope;
  #held: { readonly database: Database; readonly claim: Claim } | null = null;
  #replayed: Rendered | null = null;

  constructor(options: { call: KeyedCall; rendering: Rendering<T>; dataKey: string; scope: Scope }) {
    this.#call = options.call;
    this.#rendering = options.rendering;
    this.#deriver = new Deriver(options.dataKey);
    this.#vault = new Vault(options.dataKey);
    this.#scope = options.scope;
  }

  /** The earlier attempt's answer, to be sent as it is; null when this one ran or was refused. */
  get replayed(): Rendered | null {
    return this.#replayed;
  }

  async open<const Reads extends readonly Statement[]>(
    database: Database,
    reads: Reads,
  ): Promise<Opened<T, BatchResponse<Reads>>> {
    const wanted = await this.#newClaim();
    const {
      rows: [, [row], ...answers],
    } = await database.commit(
      [claim(database, wanted), look(database, wanted.id), ...reads],
      // The token is this attempt's own: claiming twice is claiming once.
      { isIdempotent: true },
    );
    // A batch answers in order: the first two are ours.
    const rows = answers as BatchResponse<Reads>;
    if (row === undefined) throw new AppError("internal", "a claim left no row");
    if (row.claimToken === wanted.token) {
      this.#held = { database, claim: wanted };
      return { rows, ended: null };
    }
    return { rows, ended: await this.#endedBy(row, wanted) };
  }

  async record(database: Database, value: T, guard?: SQL): Promise<readonly Statement[]> {
    const held = this.#held?.claim;
    if (held === undefined) throw new AppError("internal", "an answer is recorded without a claim");
    const { status, headers, body } = this.#rendering.render(value);
    const encrypted = body === null ? null : await this.#vault.encrypt(bodyOf(held), body);
    return [record(database, held, { status, headers: JSON.stringify(headers), body: encrypted }, guard)];
  }

  release(database: Database): readonly Statement[] {
    const held = this.#held?.claim;
    this.#held = null;
    return held === undefined ? [] : [free(database, held)];
  }

  async abandon(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held === null) return;
    try {
      await held.database.commit([free(held.database, held.claim)]);
    } catch (error) {
      // The lease frees it a little later.
      this.#scope.log.log("warn", "idempotency.not_freed", describeError(error));
    }
  }

  async #newClaim(): Promise<Claim> {
    const { caller, method, route, key, request } = this.#call;
    const now = this.#scope.clock();
    // Digests under `DATA_KEY`: the row must not tell whose it is, and a body may hold a password.
    return {
      id: await this.#deriver.derive("idempotency call", JSON.stringify([caller, method, route, key])),
      fingerprint: await this.#deriver.derive("idempotency request", request),
      token: this.#scope.newId(),
      now,
      leasedUntil: now + LEASE_MS,
      expiresAt: now + KEPT_MS,
    };
  }

  async #endedBy(row: Row, wanted: Claim): Promise<Outcome<T>> {
    if (row.fingerprint !== wanted.fingerprint) return refuseReused();
    if (row.state === "claimed" || row.status === null || row.headers === null) return refuseInProgress();
    const body = row.body === null ? null : await this.#vault.decrypt(bodyOf(row), row.body);
    const headers = JSON.parse(row.headers) as Rendered["headers"]; // As `record` wrote it.
    this.#replayed = { status: row.status, headers, body };
    return done(this.#rendering.parse(body));
  }
}

/** What the vault binds a body to: it opens at no other row. */
function bodyOf({ id }: { readonly id: string }): string {
  return `idempotency body ${id}`;
}
