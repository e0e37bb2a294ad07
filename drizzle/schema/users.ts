/** Tables of the users service. Only `services/users/repository.ts` imports them. */
import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const users = sqliteTable(
  "users",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    /** As given, for showing and for mail. */
    email: text("email").notNull(),
    /** Lower case: what makes an address unique. */
    emailKey: text("email_key").notNull(),
    /** The owner's new address, until it is confirmed. */
    pendingEmail: text("pending_email"),
    age: integer("age"),
    role: text("role", { enum: ["user", "admin"] }).notNull(),
    isEmailVerified: integer("is_email_verified", { mode: "boolean" }).notNull(),
    /** PHC string; null for an account without a password. */
    passwordHash: text("password_hash"),
    /** Tokens of a lower epoch are void: raised by a change of role, of password and by a reset. */
    tokenEpoch: integer("token_epoch").notNull().default(1),
    version: integer("version").notNull().default(1),
    /** The last change that wrote the row. The other statements of its batch are guarded on it. */
    lastChangeId: text("last_change_id").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    uniqueIndex("users_email_key").on(table.emailKey),
    index("users_created_at").on(table.createdAt, table.id),
    index("users_name").on(table.name, table.id),
    // Of a few among many: cost nothing to write for everybody else.
    index("users_admins_created_at").on(table.createdAt, table.id).where(sql`role = 'admin'`),
    index("users_admins_name").on(table.name, table.id).where(sql`role = 'admin'`),
    check("users_age_range", sql`${table.age} is null or ${table.age} between 1 and 150`),
    check("users_role_known", sql`${table.role} in ('user', 'admin')`),
  ],
);

export const userProfiles = sqliteTable("user_profiles", {
  userId: text("user_id")
    .primaryKey()
    .references(() => users.id, { onDelete: "cascade" }),
  bio: text("bio"),
  avatarUrl: text("avatar_url"),
  locale: text("locale"),
  timezone: text("timezone"),
});
