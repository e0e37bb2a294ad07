/**
 * The configuration of a stage: a second system beside production. Every name and id of it is derived from
 * production's, and the result is compared with production by `deploy/separation.mjs`, which knows nothing of the rules here.
 */
import { LOCAL_ADDRESS } from "./deploy/routes.mjs";
import { sharedWith } from "./deploy/separation.mjs";

/**
 * What leads requests and mails into production, or its events out of it. A stage has them only where its own file
 * gives them.
 */
const LEFT_OUT = ["routes", "route", "workers_dev", "addresses", "connect"];
const LEFT_OUT_EVENTS = ["tail_consumers", "streaming_tail_consumers", "logpush"];

/** Values of an adopter's own making: nothing in them is a name of Cloudflare's. */
const OPAQUE = new Set(["vars", "define", "alias", "env", "props", "metadata", "image_vars"]);

/** Names of what belongs to this system alone. Cloudflare creates what does not exist under such a name. */
const NAMES = new Set([
  "database_name",
  "bucket_name",
  "queue",
  "dead_letter_queue",
  "dataset",
  "workflow_name",
]);
/** Names of Workers: only production's own becomes the stage's. */
const WORKERS = new Set(["service", "script_name", "from_script"]);
/** Ids of what is found again by its name, or created by `wrangler deploy` when no id is given. */
const DROPPED = new Set(["database_id", "preview_database_id", "preview_id", "preview_bucket_name"]);

/** Returns the name of the file, beside `wrangler.toml` and of the same form, that a stage may have. */
export function ownFile(stage) {
  return `stage.${stage}.toml`;
}

/**
 * Returns the configuration of a stage, and checks that it shares no name and no id with production.
 *
 * @param {Record<string, any>} production the parsed `wrangler.toml`
 * @param {string} stage
 * @param {Record<string, any>} own what the stage says for itself: laid over what was derived
 * @returns {Record<string, any>}
 * **Errors**: one line that names what the stage would share, or a table that would say something else than `own`
 */
export function stageConfig(production, stage, own = {}) {
  if (production.env?.[stage] !== undefined)
    throw new Error(`[env.${stage}] of wrangler.toml is not read: move what it says to ${ownFile(stage)}`);
  const worker = own.name ?? `${production.name}-${stage}`;
  const kept = { ...production };
  for (const field of ["env", "name", ...LEFT_OUT, ...LEFT_OUT_EVENTS]) delete kept[field];
  const derived = derive(kept, { production, stage, worker });
  const vars = { ...production.vars, PUBLIC_URL: LOCAL_ADDRESS };
  const staged = overlay({ ...derived, name: worker, vars }, own);
  const shared = sharedWith(production, staged, own);
  if (shared.length > 0) {
    throw new Error(
      `Stage ${stage} would share with production: ${shared.join(", ")}. Give it its own in ${ownFile(stage)}`,
    );
  }
  return staged;
}

function derive(value, naming, section = "") {
  if (Array.isArray(value)) return value.map((it) => derive(it, naming, section));
  if (!isTable(value)) return value;
  const fields = Object.entries(value).flatMap(([field, it]) => {
    if (OPAQUE.has(field)) return [[field, it]];
    if (Array.isArray(it) || isTable(it)) return [[field, derive(it, naming, field)]];
    const derived = deriveField({ field, value: it, table: value, section }, naming);
    return derived === undefined ? [] : [[field, derived]];
  });
  return Object.fromEntries(fields);
}

function deriveField({ field, value, table, section }, { production, stage, worker }) {
  if (NAMES.has(field) || (field === "name" && isResourceName(table, section)))
    return stageName(value, production.name, stage);
  if (WORKERS.has(field)) return value === production.name ? worker : value;
  if (DROPPED.has(field) || (field === "id" && section === "kv_namespaces")) return undefined;
  // The account keeps the counters of each rate limit under this number.
  if (field === "namespace_id" && /^\d+$/.test(value)) return String(Number(value) + numberOf(stage));
  return value;
}

/** The stage follows the Worker's name, and else comes first: the Worker knows its dead letters by how the name ends. */
function stageName(name, worker, stage) {
  const isPrefixed = name.startsWith(worker) && !/^[a-z0-9]/i.test(name.slice(worker.length));
  return isPrefixed ? `${worker}-${stage}${name.slice(worker.length)}` : `${stage}-${name}`;
}

/** Elsewhere `name` is what the code calls a binding. */
function isResourceName(table, section) {
  return "binding" in table || section === "containers" || table.type === "workflow";
}

function numberOf(stage) {
  return [...stage].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 900_000, 0) + 10;
}

/** Lays one configuration over another: tables by field, lists of bindings by binding, other lists as a whole. */
function overlay(base, own) {
  if (Array.isArray(base) && Array.isArray(own)) return overlayBindings(base, own);
  if (!isTable(base) || !isTable(own)) return own;
  const merged = Object.entries(own).map(([field, value]) => [
    field,
    field in base ? overlay(base[field], value) : value,
  ]);
  return { ...base, ...Object.fromEntries(merged) };
}

function overlayBindings(base, own) {
  const key = (entry) => entry.binding ?? entry.name;
  if (own.some((entry) => key(entry) === undefined)) return own;
  const added = own.filter((entry) => !base.some((it) => key(it) === key(entry)));
  return [...base.map((it) => ({ ...it, ...own.find((entry) => key(entry) === key(it)) })), ...added];
}

function isTable(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
