/** A Deno for tests. Forty megabytes are not fetched unasked: CI does, a developer's machine says where it has one. */
import { join } from "node:path";
import { ensureTools } from "../../scripts/on-demand.mjs";

/** The command that runs it; null when there is none, and it says so: the tests are skipped then. */
export async function denoCommand(): Promise<readonly [string, ...string[]] | null> {
  if (process.env.DENO) return [process.env.DENO];
  try {
    if (!process.env.CI) throw new Error("Say in DENO where one is; with CI=true it is installed.");
    return [process.execPath, join(await ensureTools("deno"), "node_modules/deno/bin.cjs")];
  } catch (error) {
    console.warn(`Skipped: no Deno. ${error instanceof Error ? error.message : error}`);
    return null;
  }
}
