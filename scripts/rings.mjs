/**
 * The house's ring rule: what each file may import, in one table. `npm run check` holds every file against it.
 *
 * Imports run downwards: worker -> wiring -> gateway | jobs -> services -> platform -> kernel. A ring may be skipped.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "./tools.mjs";

const PLATFORM = ["src/kernel/**", "src/platform/**"];
/** A service is imported through its index alone. The metrics of the services have no index: each file stands alone. */
const SERVICES = [...PLATFORM, "src/services/**/index.ts", "src/services/operations/metrics/**"];

/**
 * Each row adds to what its files may import; what no row names is refused. `*` matches one name, `**` any path, and
 * `$1` is what the first `*` of the row matched. A package is named as it is imported.
 *
 * @type {readonly (readonly [files: string, mayImport: readonly string[]])[]}
 */
export const RINGS = [
  ["src/kernel/**", ["src/kernel/**"]],
  ["src/kernel/schema.ts", ["zod/mini"]],
  ["src/platform/**", [...PLATFORM, "drizzle-orm/**", "cloudflare:*", "node:*"]],
  ["src/platform/*/**", ["drizzle/schema/$1.ts"]],
  ["src/services/*/**", [...PLATFORM, "src/services/$1/**"]],
  ["src/services/*/**repository.ts", ["drizzle/schema/$1.ts", "drizzle-orm/**"]],
  ["src/services/auth/**", ["src/services/users/index.ts", "jose/**"]],
  ["src/gateway/**", [...SERVICES, "src/gateway/*", "hono/**"]],
  ["src/gateway/http/**", ["contract/events/schemas.json"]],
  ["src/gateway/*.ts", ["src/gateway/**"]],
  ["src/gateway/*/**", ["src/gateway/$1/**"]],
  ["src/gateway/http/**", ["@hono/zod-validator"]],
  ["src/gateway/graphql/**", ["graphql/**", "graphql-http/**", "@pothos/core", "dataloader"]],
  ["src/gateway/rpc/**", ["@connectrpc/**", "@bufbuild/**"]],
  ["src/jobs/**", [...SERVICES, "src/jobs/**"]],
  ["src/jobs/index.ts", ["src/wiring.ts"]],
  ["src/wiring.ts", [...SERVICES, "src/gateway/*", "src/jobs/*", "cloudflare:*"]],
  ["src/entrypoints.ts", [...PLATFORM, "src/gateway/bindings/**", "src/wiring.ts"]],
  ["src/worker.ts", ["src/**", "cloudflare:*"]],
  ["drizzle/**", ["drizzle/**", "drizzle-orm/**", "drizzle-kit"]],
  ["client/**", ["client/**"]],
  ["examples/**", ["examples/**"]],
  ["examples/queue-consumer/**", ["contract/events/index.ts"]],
  ["contract/**", ["contract/**", ...SERVICES, "src/gateway/**", "src/jobs/*", "zod"]],
];

/** File names that say nothing about what is inside. */
const EMPTY_NAMES = /^(?:utils?|common|helpers?|types)\./;

const IS_PASSED_OVER = /(?:^|\/)(?:node_modules|gen|dist|\.[^/]+)(?:\/|$)/;
/** Tests and scripts import what they like. */
const IS_BOUND = /^(?:src|contract|drizzle|client|examples)\/.*(?<!\.d)\.(?:ts|mjs)$/;
const IMPORTS =
  /^(?:import|export)\b[^;"]*?\bfrom "(?<from>[^"]+)"|^import "(?<bare>[^"]+)"|\bimport\(\s*"(?<lazy>[^"]+)"/gm;

/**
 * Returns a sentence for each import that the table refuses, and for each file whose name says nothing. Type-only
 * imports, re-exports and dynamic imports count like any other.
 *
 * @param {ReadonlyMap<string, string>} files source text by path, relative to the project, with slashes
 */
export function breachesOf(files, rings = RINGS) {
  return [...files].flatMap(([path, source]) => {
    const allowed = patternsFor(path, rings);
    const named = EMPTY_NAMES.test(basename(path))
      ? [`${path}: give the file a name that says what is in it`]
      : [];
    const refused = importsOf(path, source, files).filter((to) => !allowed.some((glob) => matches(glob, to)));
    return [
      ...named,
      ...refused.map((to) => `${path} must not import ${to}: see the table in scripts/rings.mjs`),
    ];
  });
}

/** All that the rows of a file let it import, with `$1` filled in. */
function patternsFor(path, rings) {
  return rings.flatMap(([files, mayImport]) => {
    const match = expressionOf(files).exec(path);
    return match === null ? [] : mayImport.map((glob) => glob.replace("$1", match[1] ?? ""));
  });
}

/** What a file imports: paths relative to the project, and packages by their names. */
function importsOf(path, source, files) {
  if (!IS_BOUND.test(path)) return [];
  return [...source.matchAll(IMPORTS)].map(({ groups: { from, bare, lazy } }) => {
    const module = from ?? bare ?? lazy;
    if (!module.startsWith(".")) return module;
    const target = posix.join(posix.dirname(path), module);
    return [target, `${target}.ts`, `${target}/index.ts`].find((file) => files.has(file)) ?? `${target}.ts`;
  });
}

/** A package's pattern `name/**` matches the package itself, too. */
function matches(glob, path) {
  return expressionOf(glob).test(path) || (!glob.startsWith("src/") && glob === `${path}/**`);
}

function expressionOf(glob) {
  const parts = glob.split(/(\*\*|\*)/).map((part) => {
    if (part === "**") return ".*";
    return part === "*" ? "([^/]+)" : part.replace(/[.$]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`);
}

/** The project's files, of which only those that the table binds are read. */
function projectFiles(folder = "") {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (IS_PASSED_OVER.test(path)) return [];
    if (entry.isDirectory()) return projectFiles(path);
    return [[path, IS_BOUND.test(path) ? readFileSync(join(ROOT, path), "utf8") : ""]];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const breaches = breachesOf(new Map(projectFiles()));
  process.stdout.write(breaches.map((breach) => `${breach}\n`).join(""));
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
