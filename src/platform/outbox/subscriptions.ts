/** Consumers that come and go at run time: which events a name is given from the next commit on. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { eventDeliveries, eventSubscriptions } from "../../../drizzle/schema/outbox";
import type { Database, Statement } from "../database";
import { ALWAYS } from "../prepared-statement";
import { IS_PENDING } from "./ledger";

export class Subscriptions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Replaces what the consumer is subscribed to, where the guard holds.
   *
   * @param types event types, or `*`; empty for none
   */
  set(consumer: string, types: readonly string[], guard: SQL = ALWAYS): [Statement, Statement] {
    return [
      this.#unsubscribe(consumer, guard),
      this.#database.build
        .insert(eventSubscriptions)
        .select(
          sql`select value, ${consumer} from json_each(${JSON.stringify([...new Set(types)])}) where ${guard}`,
        )
        .onConflictDoNothing(),
    ];
  }

  /** For a consumer that is gone for good: nothing more is sent to it, not even what was committed already. */
  withdraw(consumer: string, guard: SQL): [Statement, Statement] {
    return [
      this.#unsubscribe(consumer, guard),
      this.#database.build
        .delete(eventDeliveries)
        .where(and(eq(eventDeliveries.consumer, consumer), IS_PENDING, guard)),
    ];
  }

  #unsubscribe(consumer: string, guard: SQL): Statement {
    return this.#database.build
      .delete(eventSubscriptions)
      .where(and(eq(eventSubscriptions.consumer, consumer), guard));
  }
}
