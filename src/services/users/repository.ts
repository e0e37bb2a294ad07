/**
 * The users in D1. Reads return models; writes return statements, which the service commits in one batch with the
 * event, so that a change and its event exist together or not at all.
 */
import { and, asc, desc, eq, gt, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { userProfiles, users } from "../../../drizzle/schema/users";
import type { Role } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import type { CursorPosition } from "../../kernel/cursor";
import type { Precondition } from "../../kernel/entity-tag";
import type { Database, ReadFrom, Stamped, Statement } from "../../platform/database";
import { boundedColumn } from "../../platform/keyset";
import { emailKey, type Profile, type User } from "./model";
import type { ListUsersQuery, UserSort } from "./schemas";

/** What a change may set. An absent member stays as it is. */
export interface UserChanges {
  readonly name?: string;
  readonly age?: number | null;
  readonly role?: Role;
  readonly profile?: Partial<Profile>;
  /** `immediate` replaces the address, unverified; `pending` waits for its confirmation. */
  readonly email?: { readonly address: string; readonly mode: "immediate" | "pending" };
}

export interface ChangeContext {
  readonly id: string;
  readonly eventId: string;
  readonly at: number;
  readonly precondition: Precondition;
}

/** What decides about an account, beside the user itself. */
export interface Account {
  readonly user: User;
  readonly tokenEpoch: number;
  /** The event of the last change. */
  readonly lastEventId: string;
}

/** What `toAccount` reads. */
export const userColumns = {
  id: users.id,
  name: users.name,
  email: users.email,
  pendingEmail: users.pendingEmail,
  age: users.age,
  role: users.role,
  isEmailVerified: users.isEmailVerified,
  tokenEpoch: users.tokenEpoch,
  version: users.version,
  lastEventId: users.lastEventId,
  createdAt: users.createdAt,
  updatedAt: users.updatedAt,
  bio: userProfiles.bio,
  avatarUrl: userProfiles.avatarUrl,
  locale: userProfiles.locale,
  timezone: userProfiles.timezone,
};

type Row = Pick<
  typeof users.$inferSelect,
  Exclude<keyof typeof userColumns, "bio" | "avatarUrl" | "locale" | "timezone">
> &
  Profile;

export class UserRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** **Cost**: 1 statement, 1 row by primary key and its profile. */
  async find(id: string, from: ReadFrom): Promise<Account | null> {
    return (await this.findStamped(id, from)).value;
  }

  /** As `find`, with the state of the database that was read. */
  async findStamped(id: string, from: ReadFrom): Promise<Stamped<Account | null>> {
    const { value, ...stamp } = await this.#database.readStamped(from, [this.selectById(id)]);
    const [row] = value[0];
    return { ...stamp, value: row === undefined ? null : toAccount(row) };
  }

  /** The user's row with its profile, for a batch of the caller's; `toAccount` reads the answer. */
  selectById(id: string) {
    return this.#select().where(eq(users.id, id)).limit(1);
  }

  /** As `selectById`, of many. One parameter however many ids. */
  selectByIds(ids: readonly string[]) {
    return this.#select().where(sql`${users.id} in (select value from json_each(${JSON.stringify(ids)}))`);
  }

  /** Who has the address, for a batch of the caller's. */
  selectByEmail(email: string) {
    return this.#database.build
      .select({ id: users.id })
      .from(users)
      .where(eq(users.emailKey, emailKey(email)))
      .limit(1);
  }

  /** One row more than asked for tells whether a next page exists. **Cost**: 1 statement over an index of the sort. */
  async page(query: ListUsersQuery, after: CursorPosition | null, from: ReadFrom): Promise<User[]> {
    const statement = this.#select()
      .where(and(...filters(query, after !== null), after === null ? undefined : beyond(query.sort, after)))
      .orderBy(...ordering(query.sort))
      .limit(query.limit + 1);
    const [rows] = await this.#database.read(from, [statement]);
    return rows.map((row) => toAccount(row).user);
  }

  /** The user and its profile. A taken address violates `users.email_key`. */
  insert(
    user: User,
    secrets: { passwordHash: string | null; eventId: string; at: number },
  ): [Statement, Statement] {
    const { profile } = user;
    return [
      this.#database.build.insert(users).values({
        id: user.id,
        name: user.name,
        email: user.email,
        emailKey: emailKey(user.email),
        age: user.age,
        role: user.role,
        isEmailVerified: user.emailVerified,
        passwordHash: secrets.passwordHash,
        version: user.version,
        lastEventId: secrets.eventId,
        createdAt: secrets.at,
        updatedAt: secrets.at,
      }),
      this.#database.build.insert(userProfiles).values({ userId: user.id, ...profile }),
    ];
  }

  /** A user without a password, where `guard` holds and nobody has the address. What follows is guarded on `changedBy`. */
  insertWhere(user: User, context: ChangeContext, guard: SQL): [Statement, Statement] {
    const key = emailKey(user.email);
    const { build } = this.#database;
    // All columns in the order of the table, which `insert ... select` goes by.
    return [
      build.insert(users).select(
        sql`select ${user.id}, ${user.name}, ${user.email}, ${key}, null, ${user.age}, ${user.role}, ${user.emailVerified ? 1 : 0},
          null, 1, ${user.version}, ${context.eventId}, ${context.at}, ${context.at}
          where ${guard} and not exists (select 1 from ${users} where ${users.emailKey} = ${key})`,
      ),
      build
        .insert(userProfiles)
        .select(sql`select ${user.id}, null, null, null, null where ${changedBy(context)}`),
    ];
  }

  /** The row changes only where the precondition holds; the profile only where the row did. */
  update(context: ChangeContext, changes: UserChanges): Statement[] {
    const { build } = this.#database;
    const row = build
      .update(users)
      .set({ ...columnsOf(changes), ...stamp(context) })
      .where(matching(context));
    if (changes.profile === undefined || Object.keys(changes.profile).length === 0) return [row];
    const profile = build
      .update(userProfiles)
      .set(changes.profile)
      .where(and(eq(userProfiles.userId, context.id), changedBy(context)));
    return [row, profile];
  }

  /** Marks the row as leaving, which guards the event; `remove` then takes it away, with its profile. */
  markLeaving(context: ChangeContext): Statement {
    return this.#database.build.update(users).set(stamp(context)).where(matching(context));
  }

  remove(context: ChangeContext) {
    return this.#database.build
      .delete(users)
      .where(and(eq(users.id, context.id), eq(users.lastEventId, context.eventId)));
  }

  /** `data` of the user's events, read from the row as the batch left it. */
  eventData(id: string): SQL {
    return sql`(select json_object('userId', ${users.id}, 'email', ${users.email}) from ${users} where ${users.id} = ${id})`;
  }

  /** `data` of `email.change_requested`. */
  pendingEmailData(id: string): SQL<string> {
    return sql`(select json_object('userId', ${users.id}, 'email', ${users.pendingEmail}, 'currentEmail', ${users.email}) from ${users} where ${users.id} = ${id})`;
  }

  hasPendingEmail(id: string): SQL {
    return sql`exists (select 1 from ${users} where ${users.id} = ${id} and ${users.pendingEmail} is not null)`;
  }

  #select() {
    return this.#database.build
      .select(userColumns)
      .from(users)
      .innerJoin(userProfiles, eq(userProfiles.userId, users.id))
      .$dynamic();
  }
}

/** Holds once this change, and no other, wrote the row. A guard for what follows in the batch. */
export function changedBy(context: ChangeContext): SQL {
  return sql`exists (select 1 from ${users} where ${users.id} = ${context.id} and ${users.lastEventId} = ${context.eventId})`;
}

/** Holds where both do. */
export function both(left: SQL, right: SQL): SQL {
  return sql`${left} and ${right}`;
}

/** The account of a statement that selects at most one. */
export function firstAccount([row]: readonly Row[]): Account | null {
  return row === undefined ? null : toAccount(row);
}

export function toAccount(row: Row): Account {
  const { bio, avatarUrl, locale, timezone } = row;
  return {
    tokenEpoch: row.tokenEpoch,
    lastEventId: row.lastEventId,
    user: {
      id: row.id,
      name: row.name,
      email: row.email,
      pendingEmail: row.pendingEmail,
      age: row.age,
      role: row.role,
      emailVerified: row.isEmailVerified,
      profile: { bio, avatarUrl, locale, timezone },
      version: row.version,
      createdAt: toTimestamp(row.createdAt),
      updatedAt: toTimestamp(row.updatedAt),
    },
  };
}

function stamp(context: ChangeContext) {
  return { version: sql`${users.version} + 1`, updatedAt: context.at, lastEventId: context.eventId };
}

/** The WHERE that enforces `If-Match`: a stale version matches no row. */
function matching({ id, precondition }: ChangeContext): SQL | undefined {
  return and(
    eq(users.id, id),
    precondition.kind === "versions" ? inArray(users.version, [...precondition.versions]) : undefined,
  );
}

function columnsOf({ name, age, role, email }: UserChanges) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(age === undefined ? {} : { age }),
    ...(role === undefined ? {} : roleColumns(role)),
    ...(email === undefined ? {} : emailColumns(email)),
  };
}

/** A change of role voids the tokens that carry the old one. */
function roleColumns(role: Role) {
  return {
    role,
    tokenEpoch: sql`${users.tokenEpoch} + (${users.role} <> ${role})`,
  };
}

/** Writing the same address again, in another case perhaps, is no change of address: it stays as verified as it was. */
function emailColumns({ address, mode }: NonNullable<UserChanges["email"]>) {
  const key = emailKey(address);
  const isSame = sql`${users.emailKey} = ${key}`;
  if (mode === "pending") {
    return {
      email: sql`case when ${isSame} then ${address} else ${users.email} end`,
      pendingEmail: sql`case when ${isSame} then null else ${address} end`,
    };
  }
  return {
    email: address,
    emailKey: key,
    pendingEmail: null,
    isEmailVerified: sql`case when ${isSame} then ${users.isEmailVerified} else 0 end`,
  };
}

function filters(query: ListUsersQuery, hasCursor: boolean): (SQL | undefined)[] {
  const { email, role, createdAfter, createdBefore, name, sort } = query;
  const isDescending = sort.startsWith("-");
  const bounded = (column: SQLiteColumn, isLower: boolean) =>
    boundedColumn(column, hasCursor && column === sortColumn(sort) && isLower !== isDescending);
  return [
    email === undefined ? undefined : eq(users.emailKey, emailKey(email)),
    role === undefined ? undefined : eq(users.role, role),
    createdAfter === undefined ? undefined : gt(bounded(users.createdAt, true), createdAfter),
    createdBefore === undefined ? undefined : lt(bounded(users.createdAt, false), createdBefore),
    // Names that begin so are a range of the index, where LIKE would scan, and D1 bounds its patterns to 50 bytes.
    name === undefined ? undefined : gte(bounded(users.name, true), name),
    name === undefined ? undefined : lt(bounded(users.name, false), `${name}\u{10ffff}`),
  ];
}

function sortColumn(sort: UserSort) {
  return sort.endsWith("name") ? users.name : users.createdAt;
}

function ordering(sort: UserSort): [SQL, SQL] {
  const direction = sort.startsWith("-") ? desc : asc;
  return [direction(sortColumn(sort)), direction(users.id)];
}

function beyond(sort: UserSort, { key, id }: CursorPosition): SQL {
  const operator = sort.startsWith("-") ? sql`<` : sql`>`;
  return sql`(${sortColumn(sort)}, ${users.id}) ${operator} (${key}, ${id})`;
}
