/** The business of users: who may do what, and what else happens when it is done. */
import type { Page } from "../../kernel/cursor";
import { isSatisfied, type Precondition } from "../../kernel/entity-tag";
import { done, type Outcome, refuseNotFound, refuseStale } from "../../kernel/errors";
import { authorize, isPermitted } from "../../kernel/permissions";
import type { Call } from "../../platform/call";
import { change } from "../../platform/change";
import type { ChangeTools, Decision } from "../../platform/change-plan";
import type { Answer, Guard, Statement, Statements } from "../../platform/database";
import { type Keyset, purposeOf } from "../../platform/keyset";
import { type Mark, newMark, type PendingMark } from "../../platform/mark";
import { newUser, patchedUser, patchOf } from "./changes";
import { addressRequested, roleChanged, userEvent } from "./events";
import type { Account } from "./model";
import { refuseEmailTaken } from "./refusals";
import { firstAccount, toAccount, USERS, type UserRepository } from "./repository";
import type { ListUsersQuery, PatchUserInput, ReplaceUserInput, SignUpInput, User } from "./schemas";
import { SignUp, type SignUpDependencies } from "./sign-up";
import type { UserCache } from "./user-cache";

/** Ends tokens everywhere within 60 seconds. Called before the change that voids them is committed. */
export interface TokenRevoker {
  /** Tokens of a lower epoch are void from now on. **Errors**: `unavailable`. */
  revokeBelow(userId: string, epochMin: number): Promise<void>;
}

export interface UserDependencies extends ChangeTools, SignUpDependencies {
  readonly repository: UserRepository;
  readonly cache: UserCache;
  readonly keyset: Keyset;
  readonly revoker: TokenRevoker;
}

/** Who receives a mail. */
export interface Contact {
  readonly name: string;
  readonly email: string;
}

export class UserService {
  readonly #on: UserDependencies;

  constructor(dependencies: UserDependencies) {
    this.#on = dependencies;
  }

  /**
   * Creates a user with its profile and `user.created`, all or none.
   * The attempt is charged to the caller's address in the same batch, whatever comes of it; a replay is not.
   *
   * **Errors**: `validation_failed` (password policy), `email_taken`, `rate_limited`, `unavailable`, those of the key.
   * **Cost**: 1 D1 round trip (2 with a key), 1 scrypt; of both none where this isolate knows that the budget is spent.
   */
  async signUp(call: Call, input: SignUpInput): Promise<Outcome<User>> {
    return await new SignUp(this.#on).run(call, input);
  }

  /**
   * A user for whom a trusted issuer vouches, with a proven address and without a password, as statements: they have no
   * effect unless `guard` holds and no account has the address. `settle` follows if they had.
   */
  admitForeign(person: Contact, guard: Guard): { readonly mark: Mark; readonly statements: Statement[] } {
    const { repository, outbox, audit, scope } = this.#on;
    const mark = newMark(scope, scope.newId());
    const user = { ...newUser(mark.id, person, mark.at), emailVerified: true };
    const guarded = { guard: USERS.isMarked, values: USERS.valuesOf(mark) };
    return {
      mark,
      statements: [
        ...repository.insert(user, mark, guard),
        ...outbox.record({ ...userEvent("user.created", user), id: mark.changeId, ...guarded }),
        audit.record({
          actor: { kind: "system", name: "auth" },
          action: "user.admit_foreign",
          subject: subjectOf(mark.id),
          ...guarded,
        }),
      ],
    };
  }

  /** **Errors**: `forbidden`, `validation_failed` (cursor). **Cost**: 1 D1 round trip, `limit` + 1 rows of an index. */
  async list(call: Call, query: ListUsersQuery): Promise<Outcome<Page<User>>> {
    const { actor } = call;
    const { repository, keyset } = this.#on;
    const permitted = authorize(actor, "user.list");
    if (!permitted.ok) return permitted;
    return await keyset.list(
      purposeOf("users.list", actor, query),
      query,
      (after, from) => repository.page(query, after, from),
      (user) => sortKeyOf(query, user),
    );
  }

  /**
   * The user, to itself and to admins; to all others it does not exist.
   * **Errors**: `unauthenticated`, `not_found`. **Cost**: nothing from memory, 1 KV read, or 1 D1 round trip besides.
   */
  async get(call: Call, id: string): Promise<Outcome<User>> {
    const { actor } = call;
    const permitted = authorize(actor, "user.read", id);
    if (!permitted.ok) return permitted;
    const user = await this.#cached(id);
    return user === null ? refuseNotFound() : done(user);
  }

  /**
   * As `get`, of many: the outcome of each id, in their order. **Cost**: as `get` for one; 1 D1 round trip for more,
   * one statement.
   */
  async getMany(call: Call, ids: readonly string[]): Promise<readonly Outcome<User>[]> {
    const { actor } = call;
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
  async cursorOf(call: Call, query: ListUsersQuery, user: User): Promise<string> {
    const { actor } = call;
    const purpose = purposeOf("users.list", actor, query);
    return await this.#on.keyset.seal(purpose, { key: sortKeyOf(query, user), id: user.id });
  }

  /** PUT: the whole user. What is absent is cleared, except the role. **Errors and cost**: as `patch`. */
  async replace(call: Call, id: string, input: ReplaceUserInput): Promise<Outcome<User>> {
    return await this.patch(call, id, patchOf(input));
  }

  /**
   * Changes what the patch names. An owner's new address waits as `pendingEmail`; an administrator's counts at once and is
   * not verified. An empty patch changes nothing, not even the version; its precondition counts all the same.
   *
   * **Errors**: `not_found`, `forbidden` (role by its owner), `precondition_failed`, `email_taken` (administrator),
   * `unavailable`. **Cost**: 2 D1 round trips, 1 for a cached user without a key and a role; a change of role besides 1 call to
   * the user's object; 1 round trip more each time another change was faster.
   */
  async patch(call: Call, id: string, patch: PatchUserInput): Promise<Outcome<User>> {
    const permitted = authorize(call.actor, "user.update", id);
    if (!permitted.ok) return permitted;
    if (patch.role !== undefined) {
      const allowed = authorize(call.actor, "user.change_role");
      if (!allowed.ok) return allowed;
    }
    return await this.#change(call, { id, action: "user.update", patch }, (account, mark) =>
      this.#patched(call, account, patch, mark),
    );
  }

  #patched(
    call: Call,
    { user, tokenEpoch }: Account,
    patch: PatchUserInput,
    mark: PendingMark,
  ): Decision<User> {
    const { repository, revoker } = this.#on;
    const fields = Object.entries(patch).flatMap(([name, member]) => (member === undefined ? [] : [name]));
    if (fields.length === 0) return { writes: [], answer: user };
    const next = patchedUser(call.actor, user, patch, mark.at);
    const isRequested = patch.email !== undefined && next.pendingEmail !== null;
    return {
      writes: repository.update(mark, user, next),
      answer: next,
      events: [
        userEvent("user.updated", next),
        ...(next.role === user.role ? [] : [roleChanged(next)]),
        ...(isRequested ? [addressRequested(next, next.pendingEmail)] : []),
      ],
      details: { fields, ...(patch.role === undefined ? {} : { role: patch.role }) },
      // Tokens of the old role are void before the new one is committed.
      ...(next.role === user.role ? {} : { tell: () => revoker.revokeBelow(user.id, tokenEpoch + 1) }),
    };
  }

  /**
   * Deletes the user with its profile; what other services hold of it goes by `user.deleted`. Its tokens are revoked
   * before the deletion is committed, and its address is free from then on.
   *
   * **Errors**: `not_found`, `precondition_failed`, `unavailable`. **Cost**: as `patch`; 1 call to the user's object.
   */
  async delete(call: Call, id: string): Promise<Outcome<null>> {
    const permitted = authorize(call.actor, "user.delete", id);
    if (!permitted.ok) return permitted;
    const { repository, revoker } = this.#on;
    return await this.#change<null>(call, { id, action: "user.delete" }, ({ user, tokenEpoch }, mark) => ({
      writes: [repository.markRemoved(mark, user)],
      answer: null,
      events: [userEvent("user.deleted", user)],
      tell: () => revoker.revokeBelow(id, tokenEpoch + 1),
      last: [repository.remove(mark)],
    }));
  }

  /** Changes a user. What ends access (no patch: a deletion; a role) is decided on the row, never on a cached one. */
  async #change<T>(
    call: Call,
    { id, action, patch }: { readonly id: string; readonly action: string; readonly patch?: PatchUserInput },
    decide: (account: Account, mark: PendingMark) => Decision<T>,
  ): Promise<Outcome<T>> {
    const { repository, cache } = this.#on;
    const email = isPermitted(call.actor, "user.set_email") ? patch?.email : undefined;
    const endsAccess = patch === undefined || patch.role !== undefined;
    return await change(this.#on, call, {
      ...{ table: USERS, id, subject: subjectOf(id), action, noun: "user" },
      select: repository.selectById(id),
      rowOf: firstAccount,
      // Read with the claim of a key: a taken address is then refused in two round trips, not in three.
      also: email !== undefined && call.key.isGiven ? [repository.selectByEmail(email)] : [],
      ...(endsAccess ? {} : { cached: () => cache.peek(id) }),
      decide(account, mark, also) {
        const current = currentOf(account, call.precondition);
        if (!current.ok) return current;
        if ((also?.[0] ?? []).some((holder) => holder.id !== id)) return refuseEmailTaken();
        return done(decide(current.value, mark));
      },
      violations: { "users.email_key": refuseEmailTaken },
      committed: (account, { bookmark, isFromPrimary }, { at }) =>
        cache.written(id, { bookmark, isFromPrimary, value: account }, at),
    });
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
    await this.#on.cache.refresh(id, (from) => this.#on.repository.findStamped(id, from));
  }

  /** `user.updated` of a change that the auth service commits, as statements for its batch. @param user as it will be */
  updatedBy(mark: Mark, user: User): Statement[] {
    const event = { ...userEvent("user.updated", user), id: mark.changeId };
    return this.#on.outbox.record({ ...event, guard: USERS.isMarked, values: USERS.valuesOf(mark) });
  }

  /** `email.change_requested` as statements: mails the user's pending address again, if it still waits. */
  emailChangeRequested(eventId: string, user: User, pendingEmail: string): Statement[] {
    const { outbox, repository } = this.#on;
    const guard = repository.isPending(user.id, pendingEmail);
    return outbox.record({ ...addressRequested(user, pendingEmail), id: eventId, guard });
  }

  /** What follows a commit with `updatedBy` or `admitForeign`: memory has the user at once, KV and the Queue later. */
  settle(mark: Mark, answer: Answer<Statements>, account: Account): void {
    const { bookmark, isFromPrimary } = answer;
    this.#on.cache.written(mark.id, { bookmark, isFromPrimary, value: account }, mark.at);
    this.#on.outbox.relaySoon(answer);
  }

  async #cached(id: string): Promise<User | null> {
    const account = await this.#on.cache.read(id, (from) => this.#on.repository.findStamped(id, from));
    return account?.user ?? null;
  }

  async #readMany(ids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    const { database, repository, keyset } = this.#on;
    const [first] = ids;
    if (first === undefined) return new Map();
    if (ids.length === 1) {
      const user = await this.#cached(first);
      return user === null ? new Map() : new Map([[first, user]]);
    }
    const {
      rows: [rows],
    } = await database.read(keyset.readFrom(), [repository.selectByIds(ids)]);
    return new Map(rows.map((row) => [row.id, toAccount(row).user]));
  }
}

/** **Errors**: `not_found`, `precondition_failed`. */
function currentOf(account: Account | null, precondition: Precondition): Outcome<Account> {
  if (account === null) return refuseNotFound();
  return isSatisfied(precondition, account.user.version) ? done(account) : refuseStale("user");
}

function subjectOf(id: string): string {
  return `user:${id}`;
}

function sortKeyOf({ sort }: ListUsersQuery, { name, createdAt }: User): string | number {
  return sort.endsWith("name") ? name : Date.parse(createdAt);
}
