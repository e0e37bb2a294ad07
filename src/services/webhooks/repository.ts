/** Webhook endpoints and their delivery log in D1. */
import { and, asc, desc, eq, gt, lt, type SQL, sql } from "drizzle-orm";
import { webhookAttempts, webhookEndpoints } from "../../../drizzle/schema/webhooks";
import { toTimestamp } from "../../kernel/clock";
import type { Database, Statement } from "../../platform/database";
import type { Endpoint, Webhook, WebhookDelivery } from "./model";

type Row = typeof webhookEndpoints.$inferSelect;

export interface Attempt {
  readonly endpointId: string;
  readonly eventId: string;
  readonly type: string;
  readonly attempt: number;
  readonly statusCode: number | null;
  readonly error: string | null;
  readonly durationMs: number;
  readonly at: number;
}

/** Rows that one clean-up takes away. */
const CLEAN_UP_STEP = 500;

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

  /** Holds while the endpoint is there. */
  exists(id: string): SQL {
    return sql`exists (select 1 from ${webhookEndpoints} where ${webhookEndpoints.id} = ${id})`;
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

  insert(webhook: {
    id: string;
    url: string;
    types: readonly string[];
    secret: string;
    at: number;
  }): Statement {
    const { id, url, types, secret, at } = webhook;
    return this.#database.build.insert(webhookEndpoints).values({
      id,
      url,
      types: JSON.stringify(types),
      isEnabled: true,
      secret,
      createdAt: at,
      updatedAt: at,
    });
  }

  update(
    id: string,
    changes: { url?: string; types?: readonly string[]; isEnabled?: boolean },
    at: number,
  ): Statement {
    return this.#database.build
      .update(webhookEndpoints)
      .set({
        ...(changes.url === undefined ? {} : { url: changes.url }),
        ...(changes.types === undefined ? {} : { types: JSON.stringify(changes.types) }),
        ...(changes.isEnabled === undefined ? {} : { isEnabled: changes.isEnabled, failingSince: null }),
        updatedAt: at,
      })
      .where(eq(webhookEndpoints.id, id));
  }

  rotate(id: string, secret: string, previousExpiresAt: number, at: number): Statement {
    return this.#database.build
      .update(webhookEndpoints)
      .set({ previousSecret: sql`${webhookEndpoints.secret}`, previousExpiresAt, secret, updatedAt: at })
      .where(eq(webhookEndpoints.id, id));
  }

  /** The endpoint and its delivery log. */
  remove(id: string): [Statement, Statement] {
    return [
      this.#database.build.delete(webhookEndpoints).where(eq(webhookEndpoints.id, id)),
      this.#database.build.delete(webhookAttempts).where(eq(webhookAttempts.endpointId, id)),
    ];
  }

  logAttempt(attempt: Attempt): Statement {
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

  /** Attempts before the cutoff, 500 a call. @returns how many went */
  async deleteAttemptsBefore(cutoff: number): Promise<number> {
    const {
      rows: [gone],
    } = await this.#database.commit([
      this.#database.build
        .delete(webhookAttempts)
        .where(
          sql`${webhookAttempts.id} in (select id from ${webhookAttempts} where ${lt(webhookAttempts.at, cutoff)} limit ${CLEAN_UP_STEP})`,
        )
        .returning({ id: webhookAttempts.id }),
    ]);
    return gone.length;
  }
}

export function toEndpoint(row: Row): Endpoint {
  const { id, url, types, isEnabled, secret, previousSecret, previousExpiresAt, failingSince, createdAt } =
    row;
  return {
    id,
    url,
    types: JSON.parse(types),
    isEnabled,
    createdAt: toTimestamp(createdAt),
    secret,
    previousSecret,
    previousExpiresAt,
    failingSince,
  };
}

export function toWebhook({ id, url, types, isEnabled, createdAt }: Endpoint): Webhook {
  return { id, url, types, isEnabled, createdAt };
}
