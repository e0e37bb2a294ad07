/** Finds keys of a configuration that wrangler does not know, and would ignore with a warning that no deployment shows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { closestName } from "../arguments.mjs";
import { ROOT } from "../tools.mjs";

const SCHEMA_FILE = "node_modules/wrangler/config-schema.json";
let schema;

/**
 * Stops at the first key that is in no table of wrangler's own JSON Schema. Tables of free keys, such as `vars`, are
 * not looked into.
 *
 * @param {Record<string, any>} config
 * @param {string} file for the message
 * **Errors**: one line with the key and the known one that it is close to
 */
export function refuseUnknownKeys(config, file) {
  schema ??= JSON.parse(readFileSync(join(ROOT, SCHEMA_FILE), "utf8"));
  const unknown = firstUnknownKey(config, schema, "");
  if (unknown === undefined) return;
  const { path, meant } = unknown;
  const advice = meant === undefined ? "wrangler knows no such key" : `did you mean ${meant}?`;
  throw new Error(`${file}: unknown key ${path}: ${advice}`);
}

function firstUnknownKey(value, node, path) {
  if (Array.isArray(value)) return firstOf(value, (it) => firstUnknownKey(it, itemsOf(node), path));
  if (typeof value !== "object" || value === null || value instanceof Date) return undefined;
  const { properties, isOpen } = tableOf(node);
  return firstOf(Object.entries(value), ([key, it]) => {
    const at = path === "" ? key : `${path}.${key}`;
    if (Object.hasOwn(properties, key)) return firstUnknownKey(it, properties[key], at);
    return isOpen ? undefined : { path: at, meant: closestName(key, Object.keys(properties)) };
  });
}

function firstOf(list, find) {
  for (const it of list) {
    const found = find(it);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Returns the keys that a table may have by any alternative of its schema, and whether it may have others. */
function tableOf(node) {
  const tables = alternativesOf(node).filter(({ type, properties }) => type === "object" || properties);
  return {
    properties: Object.assign({}, ...tables.map(({ properties }) => properties)),
    isOpen: tables.length === 0 || tables.some(({ additionalProperties }) => additionalProperties !== false),
  };
}

function itemsOf(node) {
  return { anyOf: alternativesOf(node).flatMap(({ items }) => items ?? []) };
}

function alternativesOf(node) {
  const { $ref, anyOf = [], allOf = [], oneOf = [], ...own } = node;
  const named = $ref === undefined ? [] : [schema.definitions[decodeURIComponent($ref.split("/").at(-1))]];
  return [own, ...[...named, ...anyOf, ...allOf, ...oneOf].flatMap(alternativesOf)];
}
