/**
 * What the auth service reads and changes of an account, as statements for its batches: the password, the epoch of
 * tokens, and whether an address is proven. Hashes leave the users service by this door alone.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { userProfiles, users } from "../../../../drizzle/schema/users";
import type { Database, Statement } from "../../../platform/database";
import type { Mark } from "../../../platform/mark";
import type { Account } from "../model";
import { toAccount, USERS, userColumns } from "../repository";

/** An account with its password's hash; null for an account without a password. */
export interface Credential extends Account {
  readonly passwordHash: string | null;
}

/** Which row an auth decision was made on: it must still be so when the decision is committed. */
export interface Snapshot {
  readonly id: string;
  readonly tokenEpoch: number;
  readonly passwordHash: string | null;
}

type CredentialRow = Parameters<typeof toAccount>[0] & Pick<Credential, "passwordHash">;

export class CredentialRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  selectByEmail(emailKey: string) {
    return this.#select().where(eq(users.emailKey, emailKey)).limit(1);
  }

  /** @param id a user's id, or a subquery for it */
  selectById(id: string | SQL) {
    return this.#select().where(sql`${users.id} = ${id}`).limit(1);
  }

  /** The answer of a `select...` statement. */
  credentialOf(rows: readonly CredentialRow[]): Credential | null {
    const [row] = rows;
    return row === undefined ? null : { ...toAccount(row), passwordHash: row.passwordHash };
  }

  /** Holds while neither password nor epoch have changed since they were read. */
  isUnchanged({ id, tokenEpoch, passwordHash }: Snapshot): SQL {
    return sql`exists (select 1 from ${users} where ${users.id} = ${id} and ${users.tokenEpoch} = ${tokenEpoch}
      and ${users.passwordHash} is ${passwordHash})`;
  }

  isThere(id: string): SQL {
    return sql`exists (select 1 from ${users} where ${users.id} = ${id})`;
  }

  /** Holds once this change, and no other, wrote the row. */
  isDoneBy(mark: Mark): SQL {
    return USERS.isMarkedBy(mark);
  }

  /** The same password under other parameters: no change that anyone is told of. */
  rehash(snapshot: Snapshot, passwordHash: string): Statement {
    return this.#database.build.update(users).set({ passwordHash }).where(this.#matches(snapshot));
  }

  /** A new password by one who knew the old: tokens stay good, so the epoch stays. */
  changePassword(mark: Mark, snapshot: Snapshot, passwordHash: string): Statement {
    return this.#database.build
      .update(users)
      .set({ passwordHash, lastChangeId: mark.changeId })
      .where(this.#matches(snapshot));
  }

  /**
   * A new password by one who holds the mailbox: the address is proven, every earlier token is void, and a change of
   * address that somebody else may have asked for is dropped.
   */
  resetPassword(
    mark: Mark,
    snapshot: Snapshot,
    reset: { passwordHash: string; addressKey: string; guard: SQL },
  ): Statement {
    return this.#database.build
      .update(users)
      .set({
        passwordHash: reset.passwordHash,
        tokenEpoch: sql`${users.tokenEpoch} + 1`,
        isEmailVerified: true,
        pendingEmail: null,
        ...versionOf(mark),
      })
      .where(and(this.#matches(snapshot), eq(users.emailKey, reset.addressKey), reset.guard));
  }

  /** The address the token was mailed to is proven, if it is still the user's. */
  verifyEmail(mark: Mark, addressKey: string, guard: SQL): Statement {
    return this.#database.build
      .update(users)
      .set({ isEmailVerified: true, ...versionOf(mark) })
      .where(and(eq(users.id, mark.id), eq(users.emailKey, addressKey), guard));
  }

  /** The pending address takes effect, if it is still that one. A taken address violates `users.email_key`. */
  confirmEmail(mark: Mark, addressKey: string, guard: SQL): Statement {
    return (
      this.#database.build
        .update(users)
        .set({
          email: sql`${users.pendingEmail}`,
          emailKey: addressKey,
          pendingEmail: null,
          isEmailVerified: true,
          ...versionOf(mark),
        })
        // Addresses are ASCII (see `emailSchema`), where SQLite's lower() is JavaScript's.
        .where(and(eq(users.id, mark.id), sql`lower(${users.pendingEmail}) = ${addressKey}`, guard))
    );
  }

  #matches({ id, tokenEpoch, passwordHash }: Snapshot): SQL | undefined {
    return and(
      eq(users.id, id),
      eq(users.tokenEpoch, tokenEpoch),
      sql`${users.passwordHash} is ${passwordHash}`,
    );
  }

  #select() {
    return this.#database.build
      .select({ ...userColumns, passwordHash: users.passwordHash })
      .from(users)
      .innerJoin(userProfiles, eq(userProfiles.userId, users.id))
      .$dynamic();
  }
}

function versionOf({ at, changeId }: Mark) {
  return { version: sql`${users.version} + 1`, updatedAt: at, lastChangeId: changeId };
}
