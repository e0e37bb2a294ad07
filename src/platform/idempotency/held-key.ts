/**
 * The key of a call that has one.
 *
 * ```
 * batch 1   claim the key + the reads that decide
 * batch 2   effect + event + answer, only while the claim is held
 * ```
 * A crash between the two leaves a claim that lapses after `LEASE_MS`; the next request then takes the key over. If the
 * first one was only slow, its batch fails: safety rests on the claim's token, never on clocks.
 */
import type { SQL } from "drizzle-orm";
import type { BatchResponse } from "drizzle-orm/batch";
import { AppError, done, type Outcome } from "../../kernel/errors";
import type { Database, Statement, Statements } from "../database";
import { Deriver } from "../deriver";
import type { Scope } from "../scope";
import { Vault } from "../vault";
import { type CallKey, type Opened, refuseInProgress, refuseReused } from "./call-key";
import { type Claim, claim, free, look, record } from "./records";

/** How long other requests are refused while this one may still run: two D1 calls at their deadlines. */
const LEASE_MS = 10_000;
const KEPT_MS = 24 * 3_600_000;

/**
 * The version of what is recorded. Raise it when the JSON of any recorded answer changes: a replay of an older version is
 * then refused (422), because its reader would not understand it.
 */
const SHAPE_VERSION = 1;

/** Whose key it is, and for what. The same key of another caller, use case or target is another key. */
export interface KeyedCall {
  readonly key: string;
  /** The verified user or, without one, the client's address. */
  readonly caller: string;
  /** The name of the use case. */
  readonly useCase: string;
  /** The id of what is changed, and the call's place in a request that may hold several. */
  readonly target: string;
  /** Which protocol the call came by: a replay by another one is refused (422). */
  readonly protocol: "rest" | "graphql" | "rpc" | "binding";
  /** What the caller sent, as JSON can hold it: two requests are the same when these are equal. */
  readonly input: unknown;
}

type Row = Awaited<ReturnType<typeof look>>[number];

interface Held {
  readonly database: Database;
  readonly claim: Claim;
}

export class HeldKey implements CallKey {
  readonly isGiven = true;
  readonly #call: KeyedCall;
  readonly #deriver: Deriver;
  readonly #vault: Vault;
  readonly #scope: Scope;
  readonly #shapeVersion: number;
  #held: Held | null = null;
  #released: Held | null = null;
  #isReplay = false;

  constructor(
    call: KeyedCall,
    { dataKey, scope }: { readonly dataKey: string; readonly scope: Scope },
    shapeVersion = SHAPE_VERSION,
  ) {
    this.#call = call;
    this.#shapeVersion = shapeVersion;
    this.#deriver = new Deriver(dataKey);
    this.#vault = new Vault(dataKey);
    this.#scope = scope;
  }

  get isReplay(): boolean {
    return this.#isReplay;
  }

  async open<const Reads extends Statements>(database: Database, reads: Reads): Promise<Opened<Reads>> {
    const wanted = await this.#newClaim();
    const { rows } = await database.commit(
      [claim(database, wanted), look(database, wanted.id), ...reads],
      // The token is this request's own: claiming twice is claiming once.
      { isIdempotent: true },
    );
    // A batch answers in order: the first two are the claim's.
    const [, [row], ...answers] = rows as unknown as readonly [unknown, readonly Row[], ...unknown[]];
    if (row === undefined) throw new AppError("internal", "a claim left no row");
    const ended = row.claimToken === wanted.token ? null : await this.#endedBy(row, wanted);
    if (ended === null) this.#held = { database, claim: wanted };
    return { rows: answers as BatchResponse<Reads>, ended };
  }

  async record(database: Database, answer: unknown, guard?: SQL): Promise<readonly Statement[]> {
    const held = this.#held?.claim;
    if (held === undefined) throw new AppError("internal", "an answer is recorded without a claim");
    const sealed = await this.#vault.encrypt(answerOf(held), JSON.stringify(answer));
    return [record(database, held, sealed, guard)];
  }

  release(database: Database): readonly Statement[] {
    const held = this.#held;
    this.#released = held;
    this.#held = null;
    return held === null ? [] : [free(database, held.claim)];
  }

  keep(): void {
    this.#held ??= this.#released;
  }

  async abandon(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held === null) return;
    try {
      await held.database.commit([free(held.database, held.claim)]);
    } catch (error) {
      // The lease frees it a little later.
      this.#scope.log.log("warn", "idempotency.not_freed", { error });
    }
  }

  async #newClaim(): Promise<Claim> {
    const { key, caller, useCase, target, protocol, input } = this.#call;
    const now = this.#scope.clock();
    // Digests under `DATA_KEY`: the row does not show whose it is, and the input may hold a password.
    return {
      id: await this.#deriver.derive("idempotency call", JSON.stringify([caller, useCase, target, key])),
      fingerprint: await this.#deriver.derive(
        "idempotency request",
        JSON.stringify([this.#shapeVersion, protocol, input]),
      ),
      token: this.#scope.newId(),
      now,
      leasedUntil: now + LEASE_MS,
      expiresAt: now + KEPT_MS,
    };
  }

  async #endedBy(row: Row, wanted: Claim): Promise<Outcome<never>> {
    if (row.fingerprint !== wanted.fingerprint) return refuseReused();
    if (row.state === "claimed" || row.answer === null) return refuseInProgress();
    const answer = await this.#vault.decrypt(answerOf(row), row.answer);
    this.#isReplay = true;
    return done(JSON.parse(answer) as never); // The same use case wrote it, in the same shape: both are part of the key.
  }
}

/** What the vault binds an answer to: it opens at no other row. */
function answerOf({ id }: { readonly id: string }): string {
  return `idempotency answer ${id}`;
}
