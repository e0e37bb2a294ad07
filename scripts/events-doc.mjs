/**
 * `npm run events:doc` writes docs/events.md and the JSON Schemas that the Worker serves out of the event catalogue;
 * with `--check` it only says whether the files are what it would write.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadTypeScript } from "./load-typescript.mjs";
import { ROOT } from "./tools.mjs";

const SCHEMAS_FILE = "contract/events/schemas.json";
// The module below imports it, so it must be there before it can be written.
if (readText(SCHEMAS_FILE) === null) writeFileSync(join(ROOT, SCHEMAS_FILE), "{}\n");

const { EVENT_CATALOGUE, EVENT_CONTRACTS, consumersOf, toJSONSchema } = await loadTypeScript(`
  export { EVENT_CATALOGUE } from "./src/jobs/event-catalogue";
  export { EVENT_CONTRACTS } from "./contract/events";
  export { consumersOf } from "./src/jobs/registry";
  export { toJSONSchema } from "./src/kernel/schema";`);
const SCHEMAS = Object.fromEntries(
  Object.entries(EVENT_CONTRACTS).map(([type, { data }]) => [type, schemaOf(data)]),
);
const FILES = {
  "docs/events.md": document(),
  [SCHEMAS_FILE]: `${JSON.stringify(SCHEMAS, null, 2)}\n`,
};
for (const [file, text] of Object.entries(FILES)) {
  if (!process.argv.includes("--check")) writeFileSync(join(ROOT, file), text);
  else if (readText(file) !== text) {
    process.stdout.write(`${file} is not what the catalogue says\n`);
    process.exitCode = 1;
  }
}

/** A reader must let fields pass that it does not know, for a version may gain some. */
function schemaOf(data) {
  const { additionalProperties: _, ...schema } = toJSONSchema(data);
  return schema;
}

function document() {
  return `# Events

<!-- Written by \`npm run events:doc\` from src/jobs/event-catalogue.ts and contract/events. Change it there. -->

Every change that others may care about is an event: a CloudEvents 1.0 envelope, committed with the change itself.
Fields are added within a version, never renamed or removed. An event is delivered at least once and in no order;
\`id\` is the same on each repetition, and \`sequence\` orders the log. \`GET /api/events\` reads it, and
\`GET /events/<type>/v<version>\` answers the JSON Schema of \`data\`, where \`dataschema\` leads.

| type | version | what happened | consumers here |
|---|---|---|---|
${Object.entries(EVENT_CONTRACTS).map(row).join("\n")}
${Object.entries(EVENT_CONTRACTS).map(section).join("")}`;
}

function row([type, { summary }]) {
  const { version } = EVENT_CATALOGUE[type];
  const consumers = consumersOf(type).map((name) => `\`${name}\``);
  return `| [\`${type}\`](#${anchorOf(type)}) | ${version} | ${summary} | ${consumers.join(", ") || "none"} |`;
}

function section([type, { summary }]) {
  const { $schema: _, ...schema } = SCHEMAS[type];
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

function readText(file) {
  try {
    return readFileSync(join(ROOT, file), "utf8");
  } catch {
    return null;
  }
}
