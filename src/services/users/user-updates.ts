/** How a user is changed: in one batch where the answer may come after it, on the row as read where it must be known before. */
import type { Actor } from "../../kernel/actor";
import { isSatisfied, type Precondition } from "../../kernel/entity-tag";
import { done, type Outcome, refuseNotFound } from "../../kernel/errors";
import { type Database, isViolationOf } from "../../platform/database";
import type { Attempt } from "../../platform/idempotency";
import type { Outbox } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import type { ChangeJournal } from "./change-journal";
import { changedUser } from "./changed-user";
import type { User, UserChanges } from "./model";
import { refuseBusy, refuseEmailTaken, refuseStale } from "./refusals";
import { type Account, changedBy, firstAccount, type UserRepository } from "./repository";

/** Ends tokens everywhere within 60 seconds. Called before the change that voids them is committed. */
export interface TokenRevoker {
  /** Tokens of an epoch lower than this are void from now on. **Errors**: `unavailable`. */
  revokeBelow(userId: string, epochMin: number): Promise<void>;
}

export interface UpdateDependencies {
  readonly database: Database;
  readonly repository: UserRepository;
  readonly outbox: Outbox;
  readonly revoker: TokenRevoker;
  readonly scope: Scope;
}

interface AsRead {
  readonly attempt: Attempt<User>;
  readonly user: User;
  /** Nothing is decided anew when another writer was faster: the same batch frees the key then. */
  readonly isLast: boolean;
}

/** What came of a commit. Without an outcome another writer was faster, and this is the row that it left. */
type Tried = { readonly outcome: Outcome<User> } | { readonly outcome: null; readonly latest: Account };

/** A change that is decided on a row which another writer may change meanwhile: so often it is decided anew. */
const CHANGE_ATTEMPTS_MAX = 3;

export class UserUpdates {
  readonly #on: UpdateDependencies;
  readonly #journal: ChangeJournal;

  constructor(dependencies: UpdateDependencies, journal: ChangeJournal) {
    this.#on = dependencies;
    this.#journal = journal;
  }

  /**
   * Decides on the current row, and commits only if it still is that: tokens of an old role must be void before the new
   * one is committed, and the answer under a key is written with the change. Where another writer was faster the
   * failed commit has read the row to decide anew on. **Cost**: 2 D1 round trips, 1 more each time that happens; none
   * with `If-Match`, which is decided then.
   */
  async changeAsRead(
    actor: Actor,
    id: string,
    changes: UserChanges,
    precondition: Precondition,
    attempt: Attempt<User>,
  ): Promise<Outcome<User>> {
    const { database, repository } = this.#on;
    const { rows, ended } = await attempt.open(database, [
      repository.selectById(id),
      repository.selectByEmail(changes.email?.mode === "immediate" ? changes.email.address : ""),
    ]);
    if (ended !== null) return ended;
    let account = firstAccount(rows[0]);
    const isEmailTaken = rows[1].some((holder) => holder.id !== id);
    for (let round = 1; ; round += 1) {
      const current = currentOf(account, precondition);
      if (!current.ok) return current;
      if (isEmailTaken) return refuseEmailTaken();
      const { user } = current.value;
      await this.#revokeOldRole(current.value, changes.role);
      const isLast = precondition.kind === "versions" || round >= CHANGE_ATTEMPTS_MAX;
      const tried = await this.#tryCommit(actor, id, changes, exactly(user.version), {
        attempt,
        user,
        isLast,
      });
      if (tried.outcome !== null) return tried.outcome;
      if (isLast) return precondition.kind === "versions" ? refuseStale() : refuseBusy();
      account = tried.latest;
    }
  }

  async #revokeOldRole({ user, tokenEpoch }: Account, role: User["role"] | undefined): Promise<void> {
    if (role !== undefined && role !== user.role) await this.#on.revoker.revokeBelow(user.id, tokenEpoch + 1);
  }

  /** Changes the row where the precondition holds, whatever else it is. **Cost**: 1 D1 round trip. */
  async commit(
    actor: Actor,
    id: string,
    changes: UserChanges,
    precondition: Precondition,
  ): Promise<Outcome<User>> {
    const { outcome } = await this.#tryCommit(actor, id, changes, precondition);
    return outcome ?? refuseStale();
  }

  /** @param known the user as read, when the precondition names its version: the answer is recorded then */
  async #tryCommit(
    actor: Actor,
    id: string,
    changes: UserChanges,
    precondition: Precondition,
    known?: AsRead,
  ): Promise<Tried> {
    const { database, repository } = this.#on;
    const context = this.#journal.begin(id, precondition);
    const next = known && changedUser(known.user, changes, context.at);
    const recorded = next && (await known.attempt.record(database, next, changedBy(context)));
    const isPending = changes.email?.mode === "pending";
    // A taken address rolls the batch back, and the freeing of the key with it.
    const isKeyFreed = known?.isLast === true && changes.email?.mode !== "immediate";
    const requestId = isPending ? this.#on.scope.newId() : null;
    try {
      const current = repository.selectById(id);
      const answer = await database.commit([
        ...repository.update(context, changes),
        ...this.#journal.eventOf("user.updated", context),
        this.#journal.audited(actor, "user.update", context, {
          fields: Object.keys(changes),
          ...(changes.role === undefined ? {} : { role: changes.role }),
        }),
        ...(recorded ?? []),
        ...(requestId === null ? [] : this.#journal.emailChangeRequested(requestId, id, context)),
        ...(isKeyFreed ? known.attempt.release(database) : []),
        current,
      ]);
      const account = firstAccount(answer.of(current));
      if (account === null) return { outcome: refuseNotFound() };
      if (account.lastChangeId !== context.eventId) return { outcome: null, latest: account };
      this.#journal.settle(context, answer, account.user);
      return { outcome: done(next ?? account.user) };
    } catch (error) {
      if (isViolationOf(error, "users.email_key")) return { outcome: refuseEmailTaken() };
      throw error;
    }
  }

  /** An empty patch changes nothing, not even the version; its precondition counts all the same. */
  async leaveAsIs(id: string, precondition: Precondition, attempt: Attempt<User>): Promise<Outcome<User>> {
    const { database, repository } = this.#on;
    const { rows, ended } = await attempt.open(database, [repository.selectById(id)]);
    if (ended !== null) return ended;
    const current = currentOf(firstAccount(rows[0]), precondition);
    if (!current.ok) return current;
    const { user } = current.value;
    const [record] = await attempt.record(database, user);
    if (record !== undefined) await database.commit([record]);
    return done(user);
  }
}

/** **Errors**: `not_found`, `precondition_failed`. */
function currentOf(account: Account | null, precondition: Precondition): Outcome<Account> {
  if (account === null) return refuseNotFound();
  return isSatisfied(precondition, account.user.version) ? done(account) : refuseStale();
}

function exactly(version: number): Precondition {
  return { kind: "versions", versions: [version] };
}
