/** The statements of `Idempotency-Key`: claim, look, record, free, sweep. */
import { and, eq, lte, type SQL, sql } from "drizzle-orm";
import { idempotencyRecords } from "../../../drizzle/schema/idempotency";
import type { Database, Statement } from "../database";
import { inSteps } from "../in-steps";

export interface Claim {
  readonly id: string;
  readonly fingerprint: string;
  readonly token: string;
  readonly now: number;
  readonly leasedUntil: number;
  readonly expiresAt: number;
}

/** Takes the key when it is new, when it has expired, or when the attempt that holds it let its lease lapse. */
export function claim(database: Database, { id, fingerprint, token, now, leasedUntil, expiresAt }: Claim) {
  const row = { fingerprint, claimToken: token, leasedUntil, expiresAt };
  return database.build
    .insert(idempotencyRecords)
    .values({ id, state: "claimed", ...row })
    .onConflictDoUpdate({
      target: idempotencyRecords.id,
      set: { state: "claimed", answer: null, ...row },
      setWhere: sql`${idempotencyRecords.expiresAt} <= ${now} or (${idempotencyRecords.state} = 'claimed' and ${idempotencyRecords.leasedUntil} <= ${now})`,
    });
}

export function look(database: Database, id: string) {
  return database.build.select().from(idempotencyRecords).where(eq(idempotencyRecords.id, id)).limit(1);
}

/**
 * The answer, in the batch of its effect. Whoever no longer holds the claim writes a state that the table's check
 * refuses, and the batch is rolled back: an update that merely matched nothing would let the effect through. It is an
 * insert, so that a row that is gone is refused as well.
 *
 * @param answer encrypted
 */
export function record(database: Database, held: Claim, answer: string, guard: SQL = sql`true`): Statement {
  const holds = sql`exists (select 1 from ${idempotencyRecords} held where held.id = ${held.id} and held.claim_token = ${held.token} and held.state = 'claimed')`;
  return database.build
    .insert(idempotencyRecords)
    .select(
      sql`select ${held.id}, ${held.fingerprint}, case when ${holds} then 'done' else 'lost' end, ${held.token}, ${held.leasedUntil}, ${answer}, ${held.expiresAt} where ${guard}`,
    )
    .onConflictDoUpdate({
      target: idempotencyRecords.id,
      set: {
        state: sql`excluded.state`,
        answer: sql`excluded.answer`,
        expiresAt: sql`excluded.expires_at`,
      },
    });
}

/** Only the holder's own claim, and never a recorded answer. */
export function free(database: Database, held: Claim): Statement {
  return database.build
    .delete(idempotencyRecords)
    .where(
      and(
        eq(idempotencyRecords.id, held.id),
        eq(idempotencyRecords.claimToken, held.token),
        eq(idempotencyRecords.state, "claimed"),
      ),
    );
}

const SWEEP_BOUND = { rows: 500, steps: 20 };

/** Deletes what has expired, in bounded steps. Run by the cron. @returns how many rows went */
export async function sweepIdempotencyRecords(database: Database, now: number): Promise<number> {
  return await inSteps(SWEEP_BOUND, async (rowsMax) => {
    const {
      rows: [rows],
    } = await database.commit([
      database.build
        .delete(idempotencyRecords)
        .where(
          sql`${idempotencyRecords.id} in (select id from ${idempotencyRecords} where ${lte(idempotencyRecords.expiresAt, now)} order by expires_at limit ${rowsMax})`,
        )
        .returning({ id: idempotencyRecords.id }),
    ]);
    return rows.length;
  });
}
