/** The business of users: who may do what, and what else happens when it is done. One method is one use case. */
import type { Actor } from "../../kernel/actor";
import type { Page } from "../../kernel/cursor";
import { isSatisfied, NO_PRECONDITION, type Precondition } from "../../kernel/entity-tag";
import { done, type Outcome, refuseNotFound } from "../../kernel/errors";
import { authorize } from "../../kernel/permissions";
import type { Answer, Guard, ReadFrom, Stamped, Statement, Statements } from "../../platform/database";
import { type Attempt, unkeyed } from "../../platform/idempotency";
import { type Keyset, purposeOf } from "../../platform/keyset";
import { ChangeJournal, type JournalDependencies } from "./change-journal";
import { changesOf, newUser, patchOf } from "./changes";
import type { Stamp } from "./credentials/repository";
import type { User } from "./model";
import { refuseStale } from "./refusals";
import { changedBy, firstAccount, toAccount, type UserRepository } from "./repository";
import type { ListUsersQuery, PatchUserInput, ReplaceUserInput, SignUpInput } from "./schemas";
import { SignUp, type SignUpDependencies } from "./sign-up";
import { type TokenRevoker, UserUpdates } from "./user-updates";

export interface UserDependencies extends JournalDependencies, SignUpDependencies {
  readonly keyset: Keyset;
  readonly revoker: TokenRevoker;
  /** For what follows the response, with counts of its own. */
  readonly repositoryAfterResponse: UserRepository;
}

/** Who receives a mail. */
export interface Contact {
  readonly name: string;
  readonly email: string;
}

export class UserService {
  readonly #on: UserDependencies;
  #keptJournal: ChangeJournal | undefined;
  #keptUpdates: UserUpdates | undefined;

  constructor(dependencies: UserDependencies) {
    this.#on = dependencies;
  }

  /** Made by the first write: most requests only read. */
  get #journal(): ChangeJournal {
    this.#keptJournal ??= new ChangeJournal(this.#on);
    return this.#keptJournal;
  }

  get #updates(): UserUpdates {
    this.#keptUpdates ??= new UserUpdates(this.#on, this.#journal);
    return this.#keptUpdates;
  }

  /**
   * Creates a user with its profile and `user.created`, all or none.
   * The attempt is charged to the caller's address in the same batch, whatever comes of it; a replay is not.
   *
   * **Errors**: `validation_failed` (password policy), `email_taken`, `rate_limited`, `unavailable`, those of the key.
   * **Cost**: 1 D1 round trip (2 with a key), 1 scrypt; of both none where this isolate knows that the budget is spent.
   */
  async signUp(input: SignUpInput, attempt: Attempt<User> = unkeyed()): Promise<Outcome<User>> {
    return await new SignUp(this.#on, this.#journal).run(input, attempt);
  }

  /**
   * A user for whom a trusted issuer vouches, with a proven address and without a password, as statements: they have no
   * effect unless `guard` holds and nobody has the address. `settle` follows if they had.
   */
  admitForeign(person: Contact, guard: Guard): { readonly stamp: Stamp; readonly statements: Statement[] } {
    const context = this.#journal.begin(this.#on.scope.newId());
    const user = { ...newUser(context, person), emailVerified: true };
    return {
      stamp: context,
      statements: [
        ...this.#on.repository.insert(user, context, guard),
        ...this.#journal.eventOf("user.created", context),
        this.#journal.audited({ kind: "system", name: "auth" }, "user.admit_foreign", context),
      ],
    };
  }

  /** **Errors**: `forbidden`, `validation_failed` (cursor). **Cost**: 1 D1 round trip, `limit` + 1 rows of an index. */
  async list(actor: Actor, query: ListUsersQuery): Promise<Outcome<Page<User>>> {
    const { repository, keyset } = this.#on;
    const permitted = authorize(actor, "user.list");
    if (!permitted.ok) return permitted;
    const purpose = purposeOf("users.list", actor, query);
    const position = await keyset.open(purpose, query.cursor);
    if (!position.ok) return position;
    const users = await repository.page(query, position.value, keyset.readFrom(position.value));
    return done(await keyset.page(purpose, users, query.limit, (user) => sortKeyOf(query, user)));
  }

  /**
   * The user, to itself and to admins; to all others it does not exist.
   * **Errors**: `unauthenticated`, `not_found`. **Cost**: nothing from memory, 1 KV read, or 1 D1 round trip besides.
   */
  async get(actor: Actor, id: string): Promise<Outcome<User>> {
    const permitted = authorize(actor, "user.read", id);
    if (!permitted.ok) return permitted;
    const user = await this.#read(id);
    return user === null ? refuseNotFound() : done(user);
  }

  /**
   * As `get`, of many: the outcome of each id, in their order. **Cost**: as `get` for one; 1 D1 round trip for more,
   * one statement.
   */
  async getMany(actor: Actor, ids: readonly string[]): Promise<readonly Outcome<User>[]> {
    const permitted = ids.map((id) => authorize(actor, "user.read", id));
    const readable = ids.filter((_, index) => permitted[index]?.ok === true);
    const found = await this.#readMany(readable);
    return ids.map((id, index) => {
      const decided = permitted[index];
      if (decided?.ok === false) return decided;
      const user = found.get(id);
      return user === undefined ? refuseNotFound() : done(user);
    });
  }

  /** The cursor of a user in a list, with which the page after it begins. **Cost**: 1 HMAC. */
  async cursorOf(actor: Actor, query: ListUsersQuery, user: User): Promise<string> {
    const purpose = purposeOf("users.list", actor, query);
    return await this.#on.keyset.seal(purpose, { key: sortKeyOf(query, user), id: user.id });
  }

  /** PUT: the whole user. What is absent is cleared, but for the role. **Errors and cost**: as `patch`. */
  async replace(
    actor: Actor,
    id: string,
    input: ReplaceUserInput,
    precondition: Precondition,
    attempt: Attempt<User> = unkeyed(),
  ): Promise<Outcome<User>> {
    return await this.patch(actor, id, patchOf(input), precondition, attempt);
  }

  /**
   * Changes what the patch names, and nothing when the precondition fails: it is part of the SQL's WHERE.
   * An owner's new address waits as `pendingEmail`; an admin's is immediate and unverified.
   *
   * **Errors**: `not_found`, `forbidden` (role by its owner), `precondition_failed`, `email_taken` (admin), `unavailable`.
   * **Cost**: 1 D1 round trip; 2 with a key, whose answer must be known before the commit, and for a change of role,
   * with one call to the user's object between them. Those take 1 more each time another writer was faster.
   */
  async patch(
    actor: Actor,
    id: string,
    patch: PatchUserInput,
    precondition: Precondition,
    attempt: Attempt<User> = unkeyed(),
  ): Promise<Outcome<User>> {
    const permitted = authorize(actor, "user.update", id);
    if (!permitted.ok) return permitted;
    if (patch.role !== undefined) {
      const allowed = authorize(actor, "user.change_role");
      if (!allowed.ok) return allowed;
    }
    const changes = changesOf(actor, patch);
    if (Object.keys(changes).length === 0) return await this.#updates.leaveAsIs(id, precondition, attempt);
    if (changes.role === undefined && !attempt.isKeyed)
      return await this.#updates.commit(actor, id, changes, precondition);
    return await this.#updates.changeAsRead(actor, id, changes, precondition, attempt);
  }

  /**
   * Deletes the user with its profile; what other services hold of it goes by `user.deleted`. Its tokens are revoked
   * before the deletion is committed, and its address is free from then on.
   *
   * **Errors**: `not_found`, `precondition_failed`, `unavailable`. **Cost**: 2 D1 round trips, a race that was lost
   * included; 1 call to the user's object.
   */
  async delete(
    actor: Actor,
    id: string,
    precondition: Precondition,
    attempt: Attempt<null> = unkeyed(),
  ): Promise<Outcome<null>> {
    const { database, repository, revoker } = this.#on;
    const permitted = authorize(actor, "user.delete", id);
    if (!permitted.ok) return permitted;
    const { rows, ended } = await attempt.open(database, [repository.selectById(id)]);
    if (ended !== null) return ended;
    const account = firstAccount(rows[0]);
    if (account === null) return refuseNotFound();
    if (!isSatisfied(precondition, account.user.version)) return refuseStale();

    await revoker.revokeBelow(id, account.tokenEpoch + 1);
    const context = this.#journal.begin(id, precondition);
    const answer = await database.commit([
      repository.markLeaving(context),
      // Read before it goes: of a race that was lost it tells whether somebody changed the row or took it away.
      repository.selectById(id),
      ...this.#journal.eventOf("user.deleted", context),
      this.#journal.audited(actor, "user.delete", context),
      ...(await attempt.record(database, null, changedBy(context))),
      repository.remove(context),
      ...attempt.release(database),
    ]);
    const left = firstAccount(answer.rows[1]);
    if (left === null) return refuseNotFound();
    if (left.lastChangeId !== context.eventId) return refuseStale();
    this.#journal.settle(context, answer, null);
    return done(null);
  }

  /** Where to write to a user; null when it is gone. For consumers of events. **Cost**: 1 D1 round trip. */
  async contactOf(id: string): Promise<Contact | null> {
    const account = await this.#on.repository.find(id, "primary");
    return account === null ? null : { name: account.user.name, email: account.user.email };
  }

  /**
   * Puts the primary's row into the cache, over whatever a slow reader put back.
   * **Errors**: `unavailable` when KV did not take it: repeat. **Cost**: 1 D1 round trip, 1 KV write.
   */
  async refreshCache(id: string): Promise<void> {
    await this.#on.cache.refresh(id, (from) => load(this.#on.repository, id, from));
  }

  /** `user.updated` of a change that the auth service commits, as statements for its batch. */
  updatedBy(stamp: Stamp) {
    return this.#journal.eventOf("user.updated", { ...stamp, precondition: NO_PRECONDITION });
  }

  /** `email.change_requested`, as statements: somebody mails the pending address, if there is one. */
  emailChangeRequested(eventId: string, userId: string) {
    return this.#journal.emailChangeRequested(eventId, userId);
  }

  /** What follows that commit: the cache has the user at once, the Queue the event after the response. */
  settle(stamp: Stamp, answer: Answer<Statements>, user: User): void {
    this.#journal.settle({ ...stamp, precondition: NO_PRECONDITION }, answer, user);
  }

  async #read(id: string): Promise<User | null> {
    return await this.#on.cache.read(
      id,
      (from) => load(this.#on.repository, id, from),
      (from) => load(this.#on.repositoryAfterResponse, id, from),
    );
  }

  async #readMany(ids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    const { database, repository, keyset } = this.#on;
    const [first] = ids;
    if (first === undefined) return new Map();
    if (ids.length === 1) {
      const user = await this.#read(first);
      return user === null ? new Map() : new Map([[first, user]]);
    }
    const {
      rows: [rows],
    } = await database.read(keyset.readFrom(), [repository.selectByIds(ids)]);
    return new Map(rows.map((row) => [row.id, toAccount(row).user]));
  }
}

async function load(repository: UserRepository, id: string, from: ReadFrom): Promise<Stamped<User | null>> {
  const { value, ...stamp } = await repository.findStamped(id, from);
  return { ...stamp, value: value?.user ?? null };
}

function sortKeyOf({ sort }: ListUsersQuery, { name, createdAt }: User): string | number {
  return sort.endsWith("name") ? name : Date.parse(createdAt);
}
