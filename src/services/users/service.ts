/** The business of users: who may do what, and what else happens when it is done. One method is one use case. */
import { type Actor, ANONYMOUS, actorLabel } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import type { CursorPosition, Page } from "../../kernel/cursor";
import { isSatisfied, NO_PRECONDITION, type Precondition } from "../../kernel/entity-tag";
import {
  done,
  type Outcome,
  refuse,
  refuseInvalid,
  refuseNotFound,
  type Violation,
} from "../../kernel/errors";
import { authorize, isPermitted } from "../../kernel/permissions";
import type { AuditTrail } from "../../platform/audit";
import {
  type Database,
  isViolationOf,
  pageFrom,
  type ReadFrom,
  type Stamped,
  type Statement,
} from "../../platform/database";
import { type Attempt, unkeyed } from "../../platform/idempotency";
import type { Outbox } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import type { Sealer } from "../../platform/sealing";
import { changedUser } from "./changed-user";
import type { Stamp } from "./credentials/repository";
import { USERS_SOURCE, type UserEventType, userEvents } from "./events";
import { EMPTY_PROFILE, type User } from "./model";
import {
  type Account,
  both,
  type ChangeContext,
  changedBy,
  toAccount,
  type UserChanges,
  type UserRepository,
} from "./repository";
import type { ListUsersQuery, PatchUserInput, ReplaceUserInput, SignUpInput } from "./schemas";
import type { UserCache } from "./user-cache";

/** What sign-up needs of the auth service, which stands above this one. */
export interface Passwords {
  /** What is wrong with the password for this person; empty when nothing is. */
  violationsOf(
    password: string,
    person: { readonly name: string; readonly email: string },
  ): readonly Violation[];
  /** PHC string. **Errors**: `unavailable` when too many hashes run. */
  hash(password: string): Promise<string>;
}

/** Ends tokens everywhere within 60 seconds. Called before the change that voids them is committed. */
export interface TokenRevoker {
  /** Tokens of an epoch lower than this are void from now on. **Errors**: `unavailable`. */
  revokeBelow(userId: string, epochMin: number): Promise<void>;
}

/** How many may sign up from one address. */
export interface SignUpBudget {
  /** **Errors**: `rate_limited`; `unavailable`. */
  begin(): Promise<Outcome<unknown>>;
}

interface Dependencies {
  readonly database: Database;
  readonly repository: UserRepository;
  readonly cache: UserCache;
  readonly outbox: Outbox;
  readonly sealer: Sealer;
  readonly audit: AuditTrail;
  readonly signUps: SignUpBudget;
  readonly passwords: Passwords;
  readonly revoker: TokenRevoker;
  readonly scope: Scope;
}

/** Who receives a mail. */
export interface Contact {
  readonly name: string;
  readonly email: string;
}

/** A change that is decided on a row which another writer may change meanwhile: so often it is decided anew. */
const CHANGE_ATTEMPTS_MAX = 3;

export class UserService {
  readonly #on: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
  }

  /**
   * Creates a user with its profile and `user.created`, all or none.
   * **Errors**: `validation_failed` (password policy), `email_taken`, `rate_limited`, `unavailable`, those of the key. **Cost**: 1 D1 round trip
   * (2 with a key), 1 scrypt.
   */
  async signUp(input: SignUpInput, attempt: Attempt<User> = unkeyed()): Promise<Outcome<User>> {
    const { database, repository, passwords, scope, signUps } = this.#on;
    const password = input.password ?? null;
    const violations = password === null ? [] : passwords.violationsOf(password, input);
    if (violations.length > 0)
      return refuse("validation_failed", "The password is not acceptable.", { violations });
    // With a key the address is looked up beside the claim, so that a taken one need not wait for the commit to fail.
    const { rows, ended } = await attempt.open(
      database,
      attempt.isKeyed ? [repository.selectByEmail(input.email)] : [],
    );
    if (ended !== null) return ended;
    // After the key: a replay spends nothing. Before the address is looked at: it bounds what a stranger can learn.
    const admitted = await signUps.begin();
    if (!admitted.ok) return admitted;
    if ((rows[0] ?? []).length > 0) return refuseEmailTaken();

    const passwordHash = password === null ? null : await passwords.hash(password);
    const context = this.#newContext(scope.newId(), NO_PRECONDITION);
    const user = newUser(context, input);
    try {
      const { value: _, ...stamp } = await database.commitStamped([
        ...repository.insert(user, { passwordHash, eventId: context.eventId, at: context.at }),
        ...this.#eventOf("user.created", context),
        this.#audited(ANONYMOUS, "user.sign_up", context),
        ...(await attempt.record(database, user)),
      ]);
      this.#afterCommit(context, { ...stamp, value: user });
    } catch (error) {
      if (isViolationOf(error, "users.email_key")) return refuseEmailTaken();
      throw error;
    }
    return done(user);
  }

  /**
   * Creates a user for whom a trusted issuer vouches, with a proven address and without a password.
   * @param link statements of the same batch, which tie the user to whom it is there
   * **Errors**: `email_taken`; `ConstraintViolation` of `link`; `unavailable`. **Cost**: 1 D1 round trip.
   */
  async admitForeign(
    person: Contact,
    link: (userId: string, at: number) => readonly Statement[],
  ): Promise<Outcome<User>> {
    const { database, repository, scope } = this.#on;
    const context = this.#newContext(scope.newId(), NO_PRECONDITION);
    const user = { ...newUser(context, person), emailVerified: true };
    try {
      const { value: _, ...stamp } = await database.commitStamped([
        ...repository.insert(user, { passwordHash: null, eventId: context.eventId, at: context.at }),
        ...link(user.id, context.at),
        ...this.#eventOf("user.created", context),
        this.#audited({ kind: "system", name: "auth" }, "user.admit_foreign", context),
      ]);
      this.#afterCommit(context, { ...stamp, value: user });
    } catch (error) {
      if (isViolationOf(error, "users.email_key")) return refuseEmailTaken();
      throw error;
    }
    return done(user);
  }

  /** **Errors**: `forbidden`, `validation_failed` (cursor). **Cost**: 1 D1 round trip, `limit` + 1 rows of an index. */
  async list(actor: Actor, query: ListUsersQuery): Promise<Outcome<Page<User>>> {
    const { repository, sealer, scope } = this.#on;
    const permitted = authorize(actor, "user.list");
    if (!permitted.ok) return permitted;

    const purpose = cursorPurpose(actor, query);
    const after = query.cursor === undefined ? null : await sealer.open(purpose, query.cursor);
    if (query.cursor !== undefined && after === null) return refuseCursor();

    const position = after as CursorPosition | null; // The seal vouches for the shape.
    const from = pageFrom(scope.clientBookmark, position?.bookmark ?? null);
    const rows = await repository.page(query, position, from);
    const data = rows.slice(0, query.limit);
    const last = data.at(-1);
    if (rows.length <= query.limit || last === undefined) return done({ data, nextCursor: null });
    return done({ data, nextCursor: await this.cursorOf(actor, query, last) });
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
    const key = query.sort.endsWith("name") ? user.name : Date.parse(user.createdAt);
    const position: CursorPosition = { key, id: user.id, bookmark: this.#on.database.bookmark() };
    return await this.#on.sealer.seal(cursorPurpose(actor, query), position);
  }

  /** PUT: the whole user. What is absent is cleared, but for the role. **Errors and cost**: as `patch`. */
  async replace(
    actor: Actor,
    id: string,
    input: ReplaceUserInput,
    precondition: Precondition,
    attempt: Attempt<User> = unkeyed(),
  ): Promise<Outcome<User>> {
    const profile = { ...EMPTY_PROFILE, ...withoutUndefined(input.profile ?? {}) };
    return await this.patch(actor, id, { ...input, age: input.age ?? null, profile }, precondition, attempt);
  }

  /**
   * Changes what the patch names, and nothing when the precondition fails: it is part of the SQL's WHERE.
   * An owner's new address waits as `pendingEmail`; an admin's is immediate and unverified.
   *
   * **Errors**: `not_found`, `forbidden` (role by its owner), `precondition_failed`, `email_taken` (admin), `unavailable`.
   * **Cost**: 1 D1 round trip; 2 with a key, whose answer must be known before the commit, and for a change of role,
   * with one call to the user's object between them.
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
    if (Object.keys(changes).length === 0) return await this.#leaveAsIs(id, precondition, attempt);
    if (changes.role === undefined && !attempt.isKeyed)
      return await this.#commitChanges(actor, id, changes, precondition);
    return await this.#changeAsRead(actor, id, changes, precondition, attempt);
  }

  /**
   * Deletes the user with its profile; what other services hold of it goes by `user.deleted`. Its tokens are revoked
   * before the deletion is committed, and its address is free from then on.
   *
   * **Errors**: `not_found`, `precondition_failed`, `unavailable`. **Cost**: 2 D1 round trips, 1 call to the user's object.
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
    const context = this.#newContext(id, precondition);
    const { value: removed, ...stamp } = await database.commitReturningStamped(
      [
        repository.markLeaving(context),
        ...this.#eventOf("user.deleted", context),
        this.#audited(actor, "user.delete", context),
        ...(await attempt.record(database, null, changedBy(context))),
      ],
      repository.remove(context),
    );
    if (removed.length === 0) return await this.#whyUnchanged(id);
    this.#afterCommit(context, { ...stamp, value: null });
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
    await this.#on.cache.refresh(id, (from) => this.#load(id, from));
  }

  /** `user.updated` of a change that the auth service commits, as statements for its batch. */
  updatedBy(stamp: Stamp) {
    return this.#eventOf("user.updated", { ...stamp, precondition: NO_PRECONDITION });
  }

  /** `email.change_requested`, as statements: somebody mails the pending address, if there is one. */
  emailChangeRequested(eventId: string, userId: string, change?: ChangeContext) {
    const { outbox, repository } = this.#on;
    const hasPending = repository.hasPendingEmail(userId);
    return outbox.record({
      id: eventId,
      type: "email.change_requested",
      source: USERS_SOURCE,
      subject: userId,
      version: userEvents["email.change_requested"].version,
      data: repository.pendingEmailData(userId),
      guard: change === undefined ? hasPending : both(hasPending, changedBy(change)),
    });
  }

  /** What follows that commit: the cache has the user at once, the Queue the event after the response. */
  settle(stamp: Stamp, committed: Stamped<User>): void {
    this.#afterCommit({ ...stamp, precondition: NO_PRECONDITION }, committed);
  }

  async #read(id: string): Promise<User | null> {
    return await this.#on.cache.read(id, (from) => this.#load(id, from));
  }

  async #readMany(ids: readonly string[]): Promise<ReadonlyMap<string, User>> {
    const { database, repository, scope } = this.#on;
    const [first] = ids;
    if (first === undefined) return new Map();
    if (ids.length === 1) {
      const user = await this.#read(first);
      return user === null ? new Map() : new Map([[first, user]]);
    }
    const from = pageFrom(scope.clientBookmark, null);
    const [rows] = await database.read(from, [repository.selectByIds(ids)]);
    return new Map(rows.map((row) => [row.id, toAccount(row).user]));
  }

  async #load(id: string, from: ReadFrom): Promise<Stamped<User | null>> {
    const { value, ...stamp } = await this.#on.repository.findStamped(id, from);
    return { ...stamp, value: value?.user ?? null };
  }

  /**
   * Decides on the current row, and commits only if it still is that: tokens of an old role must be void before the new
   * one is committed, and the answer under a key is written with the change.
   */
  async #changeAsRead(
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
      const outcome = await this.#commitChanges(actor, id, changes, asRead, { attempt, user });
      const wasRaced = !outcome.ok && outcome.refusal.code === "precondition_failed";
      if (!wasRaced || precondition.kind === "versions" || round >= CHANGE_ATTEMPTS_MAX) return outcome;
      account = await repository.find(id, "primary");
    }
  }

  async #revokeOldRole({ user, tokenEpoch }: Account, role: User["role"] | undefined): Promise<void> {
    if (role !== undefined && role !== user.role) await this.#on.revoker.revokeBelow(user.id, tokenEpoch + 1);
  }

  /** @param known the user as read, when the precondition names its version: the answer is recorded then */
  async #commitChanges(
    actor: Actor,
    id: string,
    changes: UserChanges,
    precondition: Precondition,
    known?: { readonly attempt: Attempt<User>; readonly user: User },
  ): Promise<Outcome<User>> {
    const { database, repository } = this.#on;
    const context = this.#newContext(id, precondition);
    const next = known && changedUser(known.user, changes, context.at);
    const recorded = next && (await known.attempt.record(database, next, changedBy(context)));
    const isPending = changes.email?.mode === "pending";
    const requestId = isPending ? this.#on.scope.newId() : null;
    try {
      const { value: rows, ...stamp } = await database.commitReturningStamped(
        [
          ...repository.update(context, changes),
          ...this.#eventOf("user.updated", context),
          this.#audited(actor, "user.update", context, {
            fields: Object.keys(changes),
            ...(changes.role === undefined ? {} : { role: changes.role }),
          }),
          ...(recorded ?? []),
          ...(requestId === null ? [] : this.emailChangeRequested(requestId, id, context)),
        ],
        repository.selectById(id),
      );
      const account = firstAccount(rows);
      if (account === null) return refuseNotFound();
      if (account.lastEventId !== context.eventId) return refuseStale();
      this.#afterCommit(context, { ...stamp, value: account.user });
      if (requestId !== null) this.#on.outbox.relaySoon([requestId]);
      return done(next ?? account.user);
    } catch (error) {
      if (isViolationOf(error, "users.email_key")) return refuseEmailTaken();
      throw error;
    }
  }

  /** An empty patch changes nothing, not even the version; its precondition counts all the same. */
  async #leaveAsIs(id: string, precondition: Precondition, attempt: Attempt<User>): Promise<Outcome<User>> {
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

  async #whyUnchanged(id: string): Promise<Outcome<null>> {
    const account: Account | null = await this.#on.repository.find(id, "primary");
    return account === null ? refuseNotFound() : refuseStale();
  }

  #newContext(id: string, precondition: Precondition): ChangeContext {
    const { scope } = this.#on;
    return { id, precondition, eventId: scope.newId(), at: scope.clock() };
  }

  #eventOf(type: UserEventType, context: ChangeContext) {
    return this.#on.outbox.record({
      id: context.eventId,
      type,
      source: USERS_SOURCE,
      subject: context.id,
      version: userEvents[type].version,
      data: this.#on.repository.eventData(context.id),
      guard: changedBy(context),
    });
  }

  /** The audit row of a change, written where the change was. */
  #audited(actor: Actor, action: string, context: ChangeContext, details: object = {}): Statement {
    return this.#on.audit.record({
      actor,
      action,
      subject: `user:${context.id}`,
      details: { ...details },
      guard: changedBy(context),
    });
  }

  /** What follows a commit: the cache has the new value at once, the Queue has the event after the response. */
  #afterCommit(context: ChangeContext, committed: Stamped<User | null>): void {
    this.#on.cache.written(context.id, committed, context.at);
    this.#on.outbox.relaySoon([context.eventId]);
  }
}

function firstAccount([row]: readonly Parameters<typeof toAccount>[0][]): Account | null {
  return row === undefined ? null : toAccount(row);
}

function newUser(context: ChangeContext, input: SignUpInput): User {
  const at = toTimestamp(context.at);
  return {
    id: context.id,
    name: input.name,
    email: input.email,
    pendingEmail: null,
    age: input.age ?? null,
    role: "user",
    emailVerified: false,
    profile: { ...EMPTY_PROFILE, ...withoutUndefined(input.profile ?? {}) },
    version: 1,
    createdAt: at,
    updatedAt: at,
  };
}

function changesOf(actor: Actor, patch: PatchUserInput): UserChanges {
  return {
    ...(patch.name === undefined ? {} : { name: patch.name }),
    ...(patch.age === undefined ? {} : { age: patch.age }),
    ...(patch.role === undefined ? {} : { role: patch.role }),
    ...(patch.profile === undefined ? {} : { profile: profileChanges(patch.profile) }),
    ...(patch.email === undefined
      ? {}
      : {
          email: {
            address: patch.email,
            mode: isPermitted(actor, "user.set_email") ? ("immediate" as const) : ("pending" as const),
          },
        }),
  };
}

/** `profile: null` clears it; a member that is absent stays. */
function profileChanges(
  profile: NonNullable<PatchUserInput["profile"]> | null,
): NonNullable<UserChanges["profile"]> {
  return profile === null ? EMPTY_PROFILE : withoutUndefined(profile);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}

/** A cursor opens for the same list, sort, filters and actor alone. */
function cursorPurpose(actor: Actor, query: ListUsersQuery): string {
  const { limit: _limit, cursor: _cursor, ...selection } = query;
  return JSON.stringify(["users.list", actorLabel(actor), Object.entries(selection).sort()]);
}

function refuseCursor() {
  return refuseInvalid({
    pointer: "#/query/cursor",
    code: "invalid_cursor",
    message: "This cursor was not given out for this list, sort and filter.",
  });
}

function refuseStale() {
  return refuse(
    "precondition_failed",
    "The user has another version than `If-Match` names. Nothing was changed.",
  );
}

function refuseEmailTaken() {
  return refuse("email_taken", "An account with this address exists.", {
    violations: [
      { pointer: "#/email", code: "email_taken", message: "An account with this address exists." },
    ],
  });
}
