/** What no test in workerd would notice, because only the deployed platform breaks on it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { unstable_readConfig as readConfig } from "wrangler";
import { ROOT } from "../../scripts/tools.mjs";

const NOT_OURS = ["node_modules", ".git", ".wrangler"];

/** Every configuration of a Worker below the folder. */
function wranglerFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.includes(entry.name) ? [] : wranglerFiles(path);
    return /^wrangler.*\.(?:toml|jsonc?)$/.test(entry.name) ? [path] : [];
  });
}

/** Whether some environment of the Worker has a database whose queries would hang. */
function hangs(config: string): boolean {
  const { definedEnvironments = [] } = readConfig({ config });
  return [undefined, ...definedEnvironments].some((env) => {
    const { compatibility_flags, d1_databases } = readConfig({ config, ...(env && { env }) });
    return compatibility_flags.includes("global_fetch_strictly_public") && d1_databases.length > 0;
  });
}

test("no Worker with a database has the flag that makes deployed queries hang", () => {
  const files = wranglerFiles(ROOT);
  expect(files).toContain(join(ROOT, "wrangler.toml"));
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter(hangs)).toEqual([]);
});
