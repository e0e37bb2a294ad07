/** How a user's row is changed, as a statement that is built once for each set of members that a change names. */
import { and, eq, sql } from "drizzle-orm";
import { users } from "../../../../drizzle/schema/users";
import type { Database, Statement } from "../../../platform/database";
import { type Prepared, prepared, value } from "../../../platform/prepared-statement";
import { type ChangeContext, emailKey, type UserChanges } from "../model";

/** By what they change; at most as many as there are combinations of members. */
const known = new Map<string, Prepared<Statement>>();

/**
 * The row with the changes, its version, time and event, where the precondition holds. The profile is a row of its own.
 * **Cost**: 1 statement.
 */
export function updateRow(database: Database, context: ChangeContext, changes: UserChanges): Statement {
  const { id, at, eventId, precondition } = context;
  const { name, age, role, email } = changes;
  const isGuarded = precondition.kind === "versions";
  const shape = `${Object.keys(changes).sort().join()} ${email?.mode} ${isGuarded}`;
  const update = known.get(shape) ?? preparedUpdate(changes, isGuarded);
  known.set(shape, update);
  return update(database, {
    ...{ id, at, eventId, name, age, role },
    address: email?.address,
    addressKey: email && emailKey(email.address),
    versions: isGuarded ? JSON.stringify(precondition.versions) : null,
  });
}

/** What it keeps of the changes is which columns they name, and no value. */
function preparedUpdate(changes: UserChanges, isGuarded: boolean): Prepared<Statement> {
  const columns = columnsOf(changes);
  return prepared((on) => updateUsers(on, columns, isGuarded));
}

/** The WHERE enforces `If-Match`: a stale version matches no row. */
function updateUsers(on: Database["build"], columns: ReturnType<typeof columnsOf>, isGuarded: boolean) {
  return on
    .update(users)
    .set({
      ...columns,
      version: sql`${users.version} + 1`,
      updatedAt: sql`${value("at")}`,
      lastChangeId: sql`${value("eventId")}`,
    })
    .where(
      and(
        eq(users.id, value("id")),
        isGuarded ? sql`${users.version} in (select value from json_each(${value("versions")}))` : undefined,
      ),
    );
}

/** Out of the values that `updateRow` gives. */
function columnsOf({ name, age, role, email }: UserChanges) {
  return {
    ...(name === undefined ? {} : { name: sql`${value("name")}` }),
    ...(age === undefined ? {} : { age: sql`${value("age")}` }),
    ...(role === undefined ? {} : ROLE_COLUMNS),
    ...(email === undefined ? {} : EMAIL_COLUMNS[email.mode]),
  };
}

/** A change of role voids the tokens that carry the old one. */
const ROLE_COLUMNS = {
  role: sql`${value("role")}`,
  tokenEpoch: sql`${users.tokenEpoch} + (${users.role} <> ${value("role")})`,
};

/** Writing the same address again, in another case perhaps, is no change of address: it stays as verified as it was. */
const IS_SAME_ADDRESS = sql`${users.emailKey} = ${value("addressKey")}`;
const EMAIL_COLUMNS = {
  pending: {
    email: sql`case when ${IS_SAME_ADDRESS} then ${value("address")} else ${users.email} end`,
    pendingEmail: sql`case when ${IS_SAME_ADDRESS} then null else ${value("address")} end`,
  },
  immediate: {
    email: sql`${value("address")}`,
    emailKey: sql`${value("addressKey")}`,
    pendingEmail: sql`null`,
    isEmailVerified: sql`case when ${IS_SAME_ADDRESS} then ${users.isEmailVerified} else 0 end`,
  },
};
