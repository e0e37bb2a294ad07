/**
 * `npm run keys -- rotate [--file <path>]`: writes the next set of signing keys, in `.dev.vars` or in a file that holds
 * the set as JSON. `npm run keys -- list` names the keys. Private parts are never printed. Node built-ins alone.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readSet, rotated, writeSet } from "./key-rotation.mjs";
import { runMain } from "./prepare.mjs";
import { flagValue, ROOT } from "./tools.mjs";

const USAGE = "usage: npm run keys -- rotate|list [--file <.dev.vars or a JSON file>]";

await runMain(async () => {
  const [command, ...args] = process.argv.slice(2);
  const file = flagValue(args, "file");
  const path = file === undefined ? join(ROOT, ".dev.vars") : resolve(file);
  if (command !== "rotate" && command !== "list") throw new Error(USAGE);
  const text = readFileSync(path, "utf8");
  const set = readSet(text);
  if (command === "list") {
    process.stdout.write(describe(set));
    return 0;
  }
  const next = rotated(set);
  // Renamed into place, so that a crash leaves the old set or the new one, never half of one.
  writeFileSync(`${path}.new`, writeSet(text, next), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  process.stdout.write(describe(next));
  process.stdout.write(
    [
      `Written to ${path}. A deployed Worker takes the set as its secret:`,
      "  npx wrangler secret put JWT_SIGNING_KEYS",
      "Rotate again no sooner than a day later: until then tokens of the removed keys may be alive.",
      "",
    ].join("\n"),
  );
  return 0;
});

function describe({ keys }) {
  const role = (key, index) => (index === 0 ? "signs" : key.next === true ? "signs next" : "verifies");
  return `${keys.map((key, index) => `${key.kid}\t${role(key, index)}`).join("\n")}\n`;
}
