/** Webhook endpoints and their delivery log in D1. */
import { and, asc, desc, eq, gt, lt, sql } from "drizzle-orm";
import { webhookAttempts, webhookEndpoints } from "../../../drizzle/schema/webhooks";
import { toTimestamp } from "../../kernel/clock";
import type { Database, Statement } from "../../platform/database";
import { type Mark, MarkedTable, type PendingMark } from "../../platform/mark";
import type { Endpoint } from "./model";
import type { PatchWebhookInput, Webhook, WebhookDelivery } from "./schemas";

type Row = typeof webhookEndpoints.$inferSelect;

export const ENDPOINTS = new MarkedTable(webhookEndpoints);

export interface DeliveryAttempt {
  readonly endpointId: string;
  readonly eventId: string;
  readonly type: string;
  readonly attempt: number;
  readonly statusCode: number | null;
  readonly error: string | null;
  readonly durationMs: number;
  readonly at: number;
}

export class WebhookRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  selectById(id: string) {
    return this.#database.build.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id));
  }

  /** **Cost**: 1 round trip. */
  async find(id: string): Promise<Endpoint | null> {
    const {
      rows: [[row]],
    } = await this.#database.read("primary", [this.selectById(id)]);
    return row === undefined ? null : toEndpoint(row);
  }

  selectCount() {
    return this.#database.build.select({ count: sql<number>`count(*)` }).from(webhookEndpoints);
  }

  /** Oldest first; one more than asked for tells whether there are more. Ids ascend with creation. */
  async page(afterId: string | null, limit: number): Promise<Webhook[]> {
    const {
      rows: [rows],
    } = await this.#database.read("primary", [
      this.#database.build
        .select()
        .from(webhookEndpoints)
        .where(afterId === null ? undefined : gt(webhookEndpoints.id, afterId))
        .orderBy(asc(webhookEndpoints.id))
        .limit(limit + 1),
    ]);
    return rows.map((row) => toWebhook(toEndpoint(row)));
  }

  /** @param secret encrypted */
  insert({ id, url, types }: Webhook, secret: string, { changeId, at }: Mark): Statement {
    return this.#database.build.insert(webhookEndpoints).values({
      ...{ id, url, types: JSON.stringify(types), isEnabled: true, secret },
      ...{ lastChangeId: changeId, createdAt: at, updatedAt: at },
    });
  }

  /** Changes the endpoint while it is as it was read. Switching it on or off ends its row of failures. */
  update(mark: PendingMark, { url, types, isEnabled }: PatchWebhookInput): Statement {
    return this.#write(mark, {
      ...(url === undefined ? {} : { url }),
      ...(types === undefined ? {} : { types: JSON.stringify(types) }),
      ...(isEnabled === undefined ? {} : { isEnabled, failingSince: null }),
    });
  }

  /** @param secret encrypted */
  rotate(mark: PendingMark, secret: string, previousExpiresAt: number): Statement {
    return this.#write(mark, {
      ...{ previousSecret: sql`${webhookEndpoints.secret}`, previousExpiresAt, secret },
    });
  }

  #write(
    mark: PendingMark,
    columns: Parameters<ReturnType<Database["build"]["update"]>["set"]>[0],
  ): Statement {
    return this.#database.build
      .update(webhookEndpoints)
      .set({ ...columns, updatedAt: mark.at, lastChangeId: mark.changeId })
      .where(ENDPOINTS.isStill(mark));
  }

  /** Switches the endpoint off while it is as it was read; returns it if so. For the deliverer. */
  switchOff(mark: PendingMark) {
    return this.#database.build
      .update(webhookEndpoints)
      .set({ isEnabled: false, failingSince: null, updatedAt: mark.at, lastChangeId: mark.changeId })
      .where(ENDPOINTS.isStill(mark))
      .returning({ id: webhookEndpoints.id });
  }

  /** Takes away the endpoint and its delivery log, where the mark holds. */
  remove(mark: Mark): [Statement, Statement] {
    const { build } = this.#database;
    return [
      build
        .delete(webhookAttempts)
        .where(and(eq(webhookAttempts.endpointId, mark.id), ENDPOINTS.isMarkedBy(mark))),
      build.delete(webhookEndpoints).where(and(eq(webhookEndpoints.id, mark.id), ENDPOINTS.isMarkedBy(mark))),
    ];
  }

  logAttempt(attempt: DeliveryAttempt): Statement {
    return this.#database.build.insert(webhookAttempts).values(attempt);
  }

  /** A success ends a row of failures; a failure begins one, or goes on with it. */
  markHealth(id: string, isDelivered: boolean, at: number): Statement {
    const failingSince = isDelivered ? null : sql`coalesce(${webhookEndpoints.failingSince}, ${at})`;
    return this.#database.build
      .update(webhookEndpoints)
      .set({ failingSince })
      .where(eq(webhookEndpoints.id, id));
  }

  /** Newest first; one more than asked for tells whether there are more. */
  async attempts(endpointId: string, beforeId: number | null, limit: number): Promise<WebhookDelivery[]> {
    const {
      rows: [rows],
    } = await this.#database.read("primary", [
      this.#database.build
        .select()
        .from(webhookAttempts)
        .where(
          and(
            eq(webhookAttempts.endpointId, endpointId),
            beforeId === null ? undefined : lt(webhookAttempts.id, beforeId),
          ),
        )
        .orderBy(desc(webhookAttempts.id))
        .limit(limit + 1),
    ]);
    return rows.map(({ id, eventId, type, attempt, statusCode, error, durationMs, at }) => ({
      id: String(id),
      eventId,
      type,
      attempt,
      outcome: error === null ? "delivered" : "failed",
      statusCode,
      error,
      durationMs,
      at: toTimestamp(at),
    }));
  }

  /** Deletes at most `rowsMax` attempts before the cutoff. @returns how many were deleted */
  async deleteAttemptsBefore(cutoff: number, rowsMax: number): Promise<number> {
    const {
      rows: [gone],
    } = await this.#database.commit([
      this.#database.build
        .delete(webhookAttempts)
        .where(
          sql`${webhookAttempts.id} in (select id from ${webhookAttempts} where ${lt(webhookAttempts.at, cutoff)} limit ${rowsMax})`,
        )
        .returning({ id: webhookAttempts.id }),
    ]);
    return gone.length;
  }
}

export function toEndpoint({ updatedAt: _updatedAt, ...row }: Row): Endpoint {
  return { ...row, types: JSON.parse(row.types), createdAt: toTimestamp(row.createdAt) };
}

export function toWebhook({ id, url, types, isEnabled, createdAt }: Endpoint): Webhook {
  return { id, url, types, isEnabled, createdAt };
}
