/** Runs SQL in the project's database, through wrangler. */
import { DatabaseLocked, isLocked } from "./database-lock.mjs";
import { runTool } from "./tools.mjs";

/**
 * Runs the statements as one batch and returns the rows of the last. **Errors**: as `executeBatch`.
 *
 * @param {string} sql
 * @param {Parameters<typeof executeBatch>[1]} [where]
 */
export async function executeSql(sql, where) {
  return (await executeBatch(sql, where)).at(-1) ?? [];
}

/**
 * Runs the statements as one batch and returns the rows of each.
 *
 * @param {string} sql
 * @param {{isRemote?: boolean, persistTo?: string | undefined}} [where] the deployed database, or a local one
 * @returns {Promise<any[][]>}
 * **Errors**: `DatabaseLocked`; an `Error` with what wrangler printed
 */
export async function executeBatch(sql, { isRemote = false, persistTo } = {}) {
  const { code, stdout, output } = await runTool("wrangler", [
    ...["d1", "execute", "DB", "--json", isRemote ? "--remote" : "--local"],
    ...(persistTo === undefined ? [] : ["--persist-to", persistTo]),
    ...["--command", sql],
  ]);
  if (!isRemote && isLocked({ code, output })) throw new DatabaseLocked();
  if (code !== 0) throw new Error(`the database refused\n${output}`);
  return JSON.parse(stdout.slice(stdout.indexOf("["))).map(({ results }) => results);
}
