/** The day's counts in D1. */
import { and, asc, gte, lte, sql } from "drizzle-orm";
import { dailySignups } from "../../../../drizzle/schema/operations";
import type { Database, Statement } from "../../../platform/database";
import type { SignupDay } from "./schemas";

export class AnalyticsRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @param day `YYYY-MM-DD` */
  addSignup(day: string): Statement {
    return this.#database.build
      .insert(dailySignups)
      .values({ day, count: 1 })
      .onConflictDoUpdate({ target: dailySignups.day, set: { count: sql`${dailySignups.count} + 1` } });
  }

  /** Ascending; days without a sign-up are absent. **Cost**: 1 round trip. */
  async signupDays(range: { readonly from: string; readonly to: string }): Promise<SignupDay[]> {
    const {
      rows: [rows],
    } = await this.#database.read("nearest", [
      this.#database.build
        .select({ date: dailySignups.day, count: dailySignups.count })
        .from(dailySignups)
        .where(and(gte(dailySignups.day, range.from), lte(dailySignups.day, range.to)))
        .orderBy(asc(dailySignups.day)),
    ]);
    return rows;
  }
}
