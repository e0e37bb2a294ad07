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
import type { User } from "./model";
import { refuseBusy, refuseEmailTaken, refuseStale } from "./refusals";
import { type Account, changedBy, firstAccount, type UserChanges, type UserRepository } from "./repository";

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
   * one is committed, and the answer under a key is written with the change.
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
      if (account === null) return refuseNotFound();
      const { user } = account;
      if (!isSatisfied(precondition, user.version)) return refuseStale();
      if (isEmailTaken) return refuseEmailTaken();
      await this.#revokeOldRole(account, changes.role);
      const asRead = { kind: "versions", versions: [user.version] } as const;
      const outcome = await this.commit(actor, id, changes, asRead, { attempt, user });
      const wasRaced = !outcome.ok && outcome.refusal.code === "precondition_failed";
      if (!wasRaced || precondition.kind === "versions") return outcome;
      if (round >= CHANGE_ATTEMPTS_MAX) return refuseBusy();
      account = await repository.find(id, "primary");
    }
  }

  async #revokeOldRole({ user, tokenEpoch }: Account, role: User["role"] | undefined): Promise<void> {
    if (role !== undefined && role !== user.role) await this.#on.revoker.revokeBelow(user.id, tokenEpoch + 1);
  }

  /** @param known the user as read, when the precondition names its version: the answer is recorded then */
  async commit(
    actor: Actor,
    id: string,
    changes: UserChanges,
    precondition: Precondition,
    known?: { readonly attempt: Attempt<User>; readonly user: User },
  ): Promise<Outcome<User>> {
    const { database, repository } = this.#on;
    const context = this.#journal.begin(id, precondition);
    const next = known && changedUser(known.user, changes, context.at);
    const recorded = next && (await known.attempt.record(database, next, changedBy(context)));
    const isPending = changes.email?.mode === "pending";
    const requestId = isPending ? this.#on.scope.newId() : null;
    try {
      const { value: rows, ...stamp } = await database.commitReturningStamped(
        [
          ...repository.update(context, changes),
          ...this.#journal.eventOf("user.updated", context),
          this.#journal.audited(actor, "user.update", context, {
            fields: Object.keys(changes),
            ...(changes.role === undefined ? {} : { role: changes.role }),
          }),
          ...(recorded ?? []),
          ...(requestId === null ? [] : this.#journal.emailChangeRequested(requestId, id, context)),
        ],
        repository.selectById(id),
      );
      const account = firstAccount(rows);
      if (account === null) return refuseNotFound();
      if (account.lastEventId !== context.eventId) return refuseStale();
      this.#journal.settle(context, { ...stamp, value: account.user });
      if (requestId !== null) this.#on.outbox.relaySoon([requestId]);
      return done(next ?? account.user);
    } catch (error) {
      if (isViolationOf(error, "users.email_key")) return refuseEmailTaken();
      throw error;
    }
  }

  /** An empty patch changes nothing, not even the version; its precondition counts all the same. */
  async leaveAsIs(id: string, precondition: Precondition, attempt: Attempt<User>): Promise<Outcome<User>> {
    const { database, repository } = this.#on;
    const { rows, ended } = await attempt.open(database, [repository.selectById(id)]);
    if (ended !== null) return ended;
    const account = firstAccount(rows[0]);
    if (account === null) return refuseNotFound();
    if (!isSatisfied(precondition, account.user.version)) return refuseStale();
    const [record] = await attempt.record(database, account.user);
    if (record !== undefined) await database.commit([record]);
    return done(account.user);
  }
}
