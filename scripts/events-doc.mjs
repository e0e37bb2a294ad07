/**
 * `npm run events:doc` writes docs/events.md out of the event catalogue; with `--check` it only says whether the file
 * is what it would write.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadTypeScript } from "./load-typescript.mjs";
import { ROOT } from "./tools.mjs";

const FILE = join(ROOT, "docs/events.md");

const { EVENT_CATALOGUE, consumersOf, dataSchemaOf } = await loadTypeScript(`
  export { EVENT_CATALOGUE, dataSchemaOf } from "./src/gateway/event-catalogue";
  export { consumersOf } from "./src/gateway/consumers/registry";`);
const text = document();
if (process.argv.includes("--check")) {
  const isCurrent = readText(FILE) === text;
  if (!isCurrent) process.stdout.write("docs/events.md is not what the catalogue says\n");
  process.exitCode = isCurrent ? 0 : 1;
} else {
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, text);
}

function document() {
  return `# Events

<!-- Written by \`npm run events:doc\` from src/gateway/event-catalogue.ts. Change it there. -->

Every change that others may care about is an event: a CloudEvents 1.0 envelope, committed with the change itself.
Fields are added within a version, never renamed or removed. An event is delivered at least once and in no order;
\`id\` is the same on each repetition, and \`sequence\` orders the log. \`GET /api/events\` reads it, and
\`GET /events/<type>/v<version>\` answers the JSON Schema of \`data\`, where \`dataschema\` leads.

| type | version | what happened | consumers here |
|---|---|---|---|
${Object.entries(EVENT_CATALOGUE).map(row).join("\n")}
${Object.entries(EVENT_CATALOGUE).map(section).join("")}`;
}

function row([type, { version, summary }]) {
  const consumers = consumersOf(type).map((name) => `\`${name}\``);
  return `| [\`${type}\`](#${anchorOf(type)}) | ${version} | ${summary} | ${consumers.join(", ") || "none"} |`;
}

function section([type, { version, summary }]) {
  const { $schema: _, ...schema } = dataSchemaOf(type, version);
  return `
## ${type}
${summary}

\`\`\`json
${JSON.stringify(schema, null, 2)}
\`\`\`
`;
}

/** As GitHub makes it of a heading. */
function anchorOf(type) {
  return type.replaceAll(".", "");
}

function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
