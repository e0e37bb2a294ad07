/** Makes an account an administrator: reads it, judges it, and changes just what was read. */
import { whileLocked } from "./database-lock.mjs";
import { loadTypeScript } from "./load-typescript.mjs";

/**
 * Runs statements as one batch, and returns the rows of each.
 *
 * @callback Run
 * @param {string} sql
 * @returns {Promise<any[][]>} **Errors**: `DatabaseLocked`
 */

/**
 * Promotes the account with that address.
 *
 * @param {Run} run
 * @param {{email: string, isRemote: boolean, allowsUnverified: boolean, where: string}} wanted `where` names the database
 * @param {import("./admin-statements.ts").Change} change
 * @param {Parameters<typeof whileLocked>[1]} [on] for tests
 * @returns {Promise<{id: string, isChanged: boolean, isVerified: boolean, madeAt: string}>}
 * **Errors**: one line when there is no such account, its address is not confirmed on the deployed database, it changed
 * meanwhile, or the database stays locked. Nothing was changed then.
 */
export async function promote(run, wanted, change, on) {
  const statements = await loadTypeScript('export * from "./scripts/admin-statements.ts";');
  return await whileLocked(() => attemptPromotion(statements, failingAsItself(run), wanted, change), on);
}

async function attemptPromotion({ findAccount, promoteAccount }, { run, orOwn }, wanted, change) {
  const { email, where } = wanted;
  const account = await orOwn(findAccount(run, email));
  if (account === null)
    throw new Error(`No account in ${where} has the address ${email}. Sign up first, then run this again.`);
  const { user, lastChangeId } = account;
  const found = { id: user.id, isVerified: user.emailVerified, madeAt: minuteOf(user.createdAt) };
  // An attempt before this one was committed, and only its answer was lost.
  if (lastChangeId === change.eventId) return { ...found, isChanged: true };
  if (user.role === "admin") return { ...found, isChanged: false };
  if (wanted.isRemote && !found.isVerified && !wanted.allowsUnverified)
    throw new Error(unverifiedLine(email, found));
  const after = await orOwn(promoteAccount(run, account, change));
  if (after?.lastChangeId !== change.eventId)
    throw new Error(
      `The account of ${email} changed while it was read. Nothing was written: run this again.`,
    );
  return { ...found, isChanged: true };
}

/** The Worker's code wraps what `run` throws, for a log without values. Here the failure itself is shown. */
function failingAsItself(run) {
  let failure;
  return {
    run: (sql) =>
      run(sql).catch((error) => {
        failure = error;
        throw error;
      }),
    orOwn: (work) =>
      work.catch((error) => {
        throw failure ?? error;
      }),
  };
}

function unverifiedLine(email, { id, madeAt }) {
  return `${email} is not confirmed, so anyone may have signed up with it. Its account ${id} was made on ${madeAt}. If you know that it is the owner's: npm run admin -- ${email} --remote --unverified`;
}

/** A time in UTC, to the minute. */
function minuteOf(timestamp) {
  return `${timestamp.slice(0, 16).replace("T", " ")} UTC`;
}
