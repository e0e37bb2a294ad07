/**
 * The users in D1. Reads return models; writes return statements, which the service commits in one batch with the
 * event, so that a change and its event exist together or not at all.
 */
import { and, asc, desc, eq, gt, gte, lt, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { userProfiles, users } from "../../../drizzle/schema/users";
import { toTimestamp } from "../../kernel/clock";
import type { CursorPosition } from "../../kernel/cursor";
import { emailKey } from "../../kernel/email-key";
import type { Database, ReadFrom, Stamped, Statement } from "../../platform/database";
import { isOneOf } from "../../platform/is-one-of";
import { boundedColumn } from "../../platform/keyset";
import { type Mark, MarkedTable, type PendingMark } from "../../platform/mark";
import { type Prepared, prepared, value } from "../../platform/prepared-statement";
import type { Account } from "./model";
import type { ListUsersQuery, Profile, User, UserSort } from "./schemas";

export const USERS = new MarkedTable(users);

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
  lastChangeId: users.lastChangeId,
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

function selectUsers(build: Database["build"]) {
  return build
    .select(userColumns)
    .from(users)
    .innerJoin(userProfiles, eq(userProfiles.userId, users.id))
    .$dynamic();
}

const selectById = prepared((on) =>
  selectUsers(on)
    .where(eq(users.id, value("id")))
    .limit(1),
);

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
    const { rows, bookmark, isFromPrimary } = await this.#database.read(from, [this.selectById(id)]);
    const [row] = rows[0];
    return { bookmark, isFromPrimary, value: row === undefined ? null : toAccount(row) };
  }

  /** The user's row with its profile, for a batch of the caller's; `toAccount` reads the answer. */
  selectById(id: string) {
    return selectById(this.#database, { id });
  }

  /** As `selectById`, of many. */
  selectByIds(ids: readonly string[]) {
    return selectUsers(this.#database.build).where(isOneOf(users.id, ids));
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
    const statement = selectUsers(this.#database.build)
      .where(and(...filters(query, after !== null), after === null ? undefined : beyond(query.sort, after)))
      .orderBy(...ordering(query.sort))
      .limit(query.limit + 1);
    const {
      rows: [rows],
    } = await this.#database.read(from, [statement]);
    return rows.map((row) => toAccount(row).user);
  }

  /**
   * The user and its profile, where `guard` holds and no account has the address. The first statement returns the row that
   * it made; what follows is guarded on the mark.
   */
  insert(user: User, mark: Mark, guard: SQL, passwordHash: string | null = null) {
    const key = emailKey(user.email);
    const { bio, avatarUrl, locale, timezone } = user.profile;
    const { build } = this.#database;
    // All columns in the order of the table, as `insert ... select` needs them.
    const row = build
      .insert(users)
      .select(
        sql`select ${user.id}, ${user.name}, ${user.email}, ${key}, null, ${user.age}, ${user.role}, ${user.emailVerified ? 1 : 0},
          ${passwordHash}, 1, ${user.version}, ${mark.changeId}, ${mark.at}, ${mark.at}
          where ${guard} and not exists (select 1 from ${users} where ${users.emailKey} = ${key})`,
      )
      .returning({ id: users.id });
    const profile = build
      .insert(userProfiles)
      .select(
        sql`select ${user.id}, ${bio}, ${avatarUrl}, ${locale}, ${timezone} where ${USERS.isMarkedBy(mark)}`,
      );
    return [row, profile] as const;
  }

  /** Writes what differs. The row changes only while it is as it was read; the profile only where the row did. */
  update(mark: PendingMark, before: User, next: User): Statement[] {
    const row = updateRow(this.#database, mark, before, next);
    const isSame = JSON.stringify(before.profile) === JSON.stringify(next.profile);
    if (isSame) return [row];
    const profile = this.#database.build
      .update(userProfiles)
      .set(next.profile)
      .where(and(eq(userProfiles.userId, mark.id), USERS.isMarkedBy(mark)));
    return [row, profile];
  }

  /** Marks the row, while it is as it was read, for a batch that removes it at its end. */
  markRemoved(mark: PendingMark, user: User): Statement {
    return updateRow(this.#database, mark, user, user);
  }

  /** Holds while the user has this pending address. */
  isPending(id: string, email: string): SQL {
    return sql`exists (select 1 from ${users} where ${users.id} = ${id} and ${users.pendingEmail} = ${email})`;
  }

  /** Takes the user away, with its profile, where the mark holds. */
  remove(mark: Mark) {
    return this.#database.build.delete(users).where(and(eq(users.id, mark.id), USERS.isMarkedBy(mark)));
  }
}

/** The account of a statement that selects at most one. */
export function firstAccount([row]: readonly Row[]): Account | null {
  return row === undefined ? null : toAccount(row);
}

export function toAccount(row: Row): Account {
  const { bio, avatarUrl, locale, timezone } = row;
  return {
    tokenEpoch: row.tokenEpoch,
    lastChangeId: row.lastChangeId,
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

/** By the names of the columns they write; at most as many as there are combinations. */
const known = new Map<string, Prepared<Statement>>();

/**
 * Writes the columns that differ, the version, the time and the mark, while the row is as it was read. The profile is a row
 * of its own. **Cost**: 1 statement.
 */
function updateRow(database: Database, mark: PendingMark, before: User, next: User): Statement {
  const [was, is] = [columnsOf(before), columnsOf(next)];
  const names = COLUMNS.filter((name) => was[name] !== is[name]);
  const update = known.get(names.join()) ?? preparedUpdate(names);
  known.set(names.join(), update);
  return update(database, { ...is, ...USERS.valuesOf(mark), at: mark.at, version: next.version });
}

const COLUMNS = ["name", "email", "emailKey", "pendingEmail", "age", "role", "isEmailVerified"] as const;

function columnsOf({ name, email, pendingEmail, age, role, emailVerified }: User) {
  return {
    name,
    email,
    emailKey: emailKey(email),
    pendingEmail,
    age,
    role,
    isEmailVerified: emailVerified ? 1 : 0,
  };
}

function preparedUpdate(names: readonly (typeof COLUMNS)[number][]): Prepared<Statement> {
  const columns = Object.fromEntries(names.map((name) => [name, sql`${value(name)}`]));
  // A change of role voids the tokens that carry the old one.
  const tokens = names.includes("role") ? { tokenEpoch: sql`${users.tokenEpoch} + 1` } : {};
  return prepared((on) =>
    on
      .update(users)
      .set({
        ...columns,
        ...tokens,
        version: sql`${value("version")}`,
        updatedAt: sql`${value("at")}`,
        lastChangeId: sql`${value("changeId")}`,
      })
      .where(USERS.isAsRead),
  );
}
