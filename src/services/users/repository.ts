/**
 * The users in D1. Reads return models; writes return statements, which the service commits in one batch with the
 * event, so that a change and its event exist together or not at all.
 */
import { and, asc, desc, eq, gt, gte, lt, type SQL, type SQLChunk, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { userProfiles, users } from "../../../drizzle/schema/users";
import { toTimestamp } from "../../kernel/clock";
import type { CursorPosition } from "../../kernel/cursor";
import type { Database, ReadFrom, Stamped, Statement } from "../../platform/database";
import { boundedColumn } from "../../platform/keyset";
import { prepared, value } from "../../platform/prepared-statement";
import { type ChangeContext, emailKey, type Profile, type User, type UserChanges } from "./model";
import type { ListUsersQuery, UserSort } from "./schemas";
import { updateRow } from "./updates/repository";

/** What decides about an account, beside the user itself. */
export interface Account {
  readonly user: User;
  readonly tokenEpoch: number;
  /** The event of the last change. */
  readonly lastChangeId: string;
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

  /** As `selectById`, of many. One parameter however many ids. */
  selectByIds(ids: readonly string[]) {
    return selectUsers(this.#database.build).where(
      sql`${users.id} in (select value from json_each(${JSON.stringify(ids)}))`,
    );
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
   * The user and its profile, where `guard` holds and nobody has the address. The first statement answers with the row
   * that it made; what follows is guarded on `changedBy`.
   */
  insert(user: User, context: ChangeContext, guard: SQL, passwordHash: string | null = null) {
    const key = emailKey(user.email);
    const { bio, avatarUrl, locale, timezone } = user.profile;
    const { build } = this.#database;
    // All columns in the order of the table, which `insert ... select` goes by.
    const row = build
      .insert(users)
      .select(
        sql`select ${user.id}, ${user.name}, ${user.email}, ${key}, null, ${user.age}, ${user.role}, ${user.emailVerified ? 1 : 0},
          ${passwordHash}, 1, ${user.version}, ${context.eventId}, ${context.at}, ${context.at}
          where ${guard} and not exists (select 1 from ${users} where ${users.emailKey} = ${key})`,
      )
      .returning({ id: users.id });
    const profile = build
      .insert(userProfiles)
      .select(
        sql`select ${user.id}, ${bio}, ${avatarUrl}, ${locale}, ${timezone} where ${changedBy(context)}`,
      );
    return [row, profile] as const;
  }

  /** The row changes only where the precondition holds; the profile only where the row did. */
  update(context: ChangeContext, changes: UserChanges): Statement[] {
    const row = updateRow(this.#database, context, changes);
    if (changes.profile === undefined || Object.keys(changes.profile).length === 0) return [row];
    const profile = this.#database.build
      .update(userProfiles)
      .set(changes.profile)
      .where(and(eq(userProfiles.userId, context.id), changedBy(context)));
    return [row, profile];
  }

  /** Marks the row as leaving, which guards the event; `remove` then takes it away, with its profile. */
  markLeaving(context: ChangeContext): Statement {
    return updateRow(this.#database, context, {});
  }

  remove(context: ChangeContext) {
    return this.#database.build
      .delete(users)
      .where(and(eq(users.id, context.id), eq(users.lastChangeId, context.eventId)));
  }

  /** `data` of `email.change_requested`. */
  pendingEmailData(id: string): SQL<string> {
    return sql`(select json_object('userId', ${users.id}, 'email', ${users.pendingEmail}, 'currentEmail', ${users.email}) from ${users} where ${users.id} = ${id})`;
  }

  hasPendingEmail(id: string): SQL {
    return sql`exists (select 1 from ${users} where ${users.id} = ${id} and ${users.pendingEmail} is not null)`;
  }
}

const hasChanged = (id: SQLChunk, eventId: SQLChunk) =>
  sql`exists (select 1 from ${users} where ${users.id} = ${id} and ${users.lastChangeId} = ${eventId})`;

/** Holds once this change, and no other, wrote the row. A guard for what follows in the batch. */
export function changedBy(context: ChangeContext): SQL {
  return hasChanged(context.id, context.eventId);
}

/** `changedBy` of the values `id` and `eventId`. */
export const CHANGED: SQL = hasChanged(value("id"), value("eventId"));

/** `data` of the events of the user `id`, read from the row as the batch left it. */
export const EVENT_DATA = sql<string>`(select json_object('userId', ${users.id}, 'email', ${users.email}) from ${users} where ${users.id} = ${value("id")})`;

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
