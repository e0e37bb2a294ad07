/** Makes an account an administrator: reads it, judges it, and changes just what was read. */
import { findStatement, promoteStatements } from "./admin-statements.mjs";
import { whileLocked } from "./database-lock.mjs";

/**
 * Runs statements as one batch, and returns the rows of the last.
 *
 * @callback Run
 * @param {string} sql
 * @returns {Promise<any[]>} **Errors**: `DatabaseLocked`
 */

/**
 * Promotes the account with that address.
 *
 * @param {Run} run
 * @param {{email: string, isRemote: boolean, allowsUnverified: boolean, where: string}} wanted `where` names the database
 * @param {{at: number, eventId: string, requestId: string}} change
 * @param {Parameters<typeof whileLocked>[1]} [on] for tests
 * @returns {Promise<{id: string, isChanged: boolean, isVerified: boolean, madeAt: string}>}
 * **Errors**: one line when there is no such account, its address is not confirmed on the deployed database, it changed
 * meanwhile, or the database stays locked. Nothing was changed then.
 */
export function promote(run, wanted, change, on) {
  return whileLocked(() => attemptPromotion(run, wanted, change), on);
}

async function attemptPromotion(run, wanted, change) {
  const { email, where } = wanted;
  const [user] = await run(findStatement(email));
  if (user === undefined)
    throw new Error(`No account in ${where} has the address ${email}. Sign up first, then run this again.`);
  const found = { id: user.id, isVerified: user.isVerified === 1, madeAt: minuteOf(user.createdAt) };
  // An attempt before this one was committed, and only its answer was lost.
  if (user.lastChangeId === change.eventId) return { ...found, isChanged: true };
  if (user.role === "admin") return { ...found, isChanged: false };
  if (wanted.isRemote && !found.isVerified && !wanted.allowsUnverified)
    throw new Error(unverifiedLine(email, found));
  const [after] = await run(promoteStatements(user, { ...change, email }));
  if (after?.role !== "admin")
    throw new Error(
      `The account of ${email} changed while it was read. Nothing was written: run this again.`,
    );
  return { ...found, isChanged: after.changed === 1 };
}

function unverifiedLine(email, { id, madeAt }) {
  return `${email} is not confirmed, so anyone may have signed up with it. Its account ${id} was made on ${madeAt}. If you know that it is the owner's: npm run admin -- ${email} --remote --unverified`;
}

/** A time of the database, in UTC, to the minute. */
function minuteOf(epochMs) {
  return `${new Date(epochMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
