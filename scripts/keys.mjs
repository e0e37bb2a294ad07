/**
 * `npm run keys -- rotate [--file <path>]`: writes the next set of signing keys, in `.dev.vars` or in a file that holds
 * the set as JSON. `npm run keys -- list` names the keys. Private parts are never printed. Node built-ins alone.
 */
import { join, resolve } from "node:path";
import { readArguments } from "./arguments.mjs";
import { readSet, rotated, writeSet } from "./key-rotation.mjs";
import { runMain } from "./prepare.mjs";
import { readSecretFile, writeSecretFile } from "./secret-file.mjs";
import { ROOT } from "./tools.mjs";

const { values, operands } = readArguments({
  command: "npm run keys",
  operands: ["rotate|list"],
  flags: { file: { takes: "<file>", says: "a .dev.vars or a JWK set as JSON; .dev.vars unless given" } },
});

await runMain(async () => {
  const [command] = operands;
  if (command !== "rotate" && command !== "list")
    throw new Error(`npm run keys -- rotate, or list: ${command} is neither`);
  const path = resolve(values.file ?? join(ROOT, ".dev.vars"));
  const text = readSecretFile(path);
  if (text === undefined) throw new Error(`${path} does not exist: npm start writes one`);
  const set = readSet(text, path);
  if (command === "list") {
    process.stdout.write(describe(set));
    return 0;
  }
  const next = rotated(set);
  writeSecretFile(path, writeSet(text, next, path));
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
