/**
 * `npm run events:doc` writes docs/events.md and the JSON Schemas that the Worker serves out of the event catalogue;
 * with `--check` it only says whether the files are what it would write.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GENERATOR_FLAGS, readArguments } from "./arguments.mjs";
import { loadTypeScript } from "./load-typescript.mjs";
import { ROOT } from "./tools.mjs";

const { values: flags } = readArguments({ command: "npm run events:doc", flags: GENERATOR_FLAGS });

const SCHEMAS_FILE = "contract/events/schemas.json";
const { EVENT_CATALOGUE, EVENT_DATA, EVENT_SUMMARIES, consumersOf, toJSONSchema } = await loadTypeScript(`
  export { EVENT_CATALOGUE } from "./src/jobs/event-catalogue";
  export { EVENT_DATA, EVENT_SUMMARIES } from "./contract/events";
  export { consumersOf } from "./src/jobs/registry";
  export { toJSONSchema } from "./src/kernel/schema";`);
const TYPES = Object.keys(EVENT_SUMMARIES);
/** By the last two segments of the path that serves each. */
const SCHEMAS = Object.fromEntries(
  TYPES.map((type) => [`${type}/v${EVENT_CATALOGUE[type].version}`, schemaOf(EVENT_DATA[type]())]),
);
const FILES = {
  "docs/events.md": document(),
  [SCHEMAS_FILE]: `${JSON.stringify(SCHEMAS, null, 2)}\n`,
};
for (const [file, text] of Object.entries(FILES)) {
  if (!flags.check) writeFileSync(join(ROOT, file), text);
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
${TYPES.map(row).join("\n")}
${TYPES.map(section).join("")}`;
}

function row(type) {
  const { version } = EVENT_CATALOGUE[type];
  const consumers = consumersOf(type).map((name) => `\`${name}\``);
  return `| [\`${type}\`](#${anchorOf(type)}) | ${version} | ${EVENT_SUMMARIES[type]} | ${consumers.join(", ") || "none"} |`;
}

function section(type) {
  const { $schema: _, ...schema } = SCHEMAS[`${type}/v${EVENT_CATALOGUE[type].version}`];
  return `
## ${type}
${EVENT_SUMMARIES[type]}

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
