/** The rules of the house, each shown to fail when it is broken. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breachesOf, RINGS } from "../../scripts/rings.mjs";

/** What the table of rings refuses: a file, and a module that it must not import. */
const REFUSED: readonly (readonly [title: string, path: string, module: string])[] = [
  ["zod enters through one module, so that its large form stays out", "src/services/users/a.ts", "zod"],
  ["the kernel imports nothing above it", "src/kernel/a.ts", "../platform/clock"],
  ["the kernel imports no package", "src/kernel/a.ts", "fast-check"],
  ["the kernel imports no built-in", "src/kernel/a.ts", "node:buffer"],
  ["the platform imports no service", "src/platform/a.ts", "../services/users"],
  ["the platform imports no gateway", "src/platform/cache/a.ts", "../../gateway/error-map"],
  ["the platform imports no job", "src/platform/outbox/a.ts", "../../jobs/registry"],
  ["the platform does not import the wiring", "src/platform/a.ts", "../wiring"],
  ["a service imports no gateway", "src/services/users/a.ts", "../../gateway/error-map"],
  ["a service imports no job", "src/services/users/a.ts", "../../jobs/registry"],
  ["a service does not import the wiring", "src/services/operations/limits/a.ts", "../../../wiring"],
  ["a service imports no other service", "src/services/orders/a.ts", "../users"],
  ["a service's subfolder imports no other service", "src/services/orders/stock/a.ts", "../../users/index"],
  ["users do not import auth", "src/services/users/a.ts", "../auth"],
  ["auth imports users through its index alone", "src/services/auth/a.ts", "../users/repository"],
  ["auth's subfolders do so, too", "src/services/auth/keys/a.ts", "../../users/model"],
  ["auth imports no service but users", "src/services/auth/a.ts", "../orders"],
  ["the gateway does not import the wiring", "src/gateway/a.ts", "../wiring"],
  ["the gateway imports no job", "src/gateway/a.ts", "../jobs/registry"],
  ["a protocol imports no job", "src/gateway/http/a.ts", "../../jobs/cron"],
  ["the gateway imports no repository", "src/gateway/http/a.ts", "../../services/users/repository"],
  ["the gateway imports a service through its index alone", "src/gateway/a.ts", "../services/users/model"],
  ["REST does not import GraphQL", "src/gateway/http/a.ts", "../graphql/server"],
  ["REST does not import RPC, however deep", "src/gateway/http/routes/a.ts", "../../rpc/server"],
  ["GraphQL does not import REST", "src/gateway/graphql/a.ts", "../http/app"],
  ["RPC does not import GraphQL", "src/gateway/rpc/a.ts", "../graphql/server"],
  ["bindings do not import REST", "src/gateway/bindings/a.ts", "../http/app"],
  ["REST does not import bindings", "src/gateway/http/a.ts", "../bindings/users"],
  ["jobs do not import the gateway", "src/jobs/consumers/a.ts", "../../gateway/error-map"],
  ["jobs import no repository", "src/jobs/consumers/a.ts", "../../services/users/repository"],
  ["jobs but their index do not import the wiring", "src/jobs/cron.ts", "../wiring"],
  ["the wiring does not import the worker", "src/wiring.ts", "./worker"],
  ["the entry points do not import REST", "src/entrypoints.ts", "./gateway/http/app"],
  ["a new file at the top belongs to no ring", "src/a.ts", "./kernel/ids"],
  ["the Worker runs without the contract", "src/gateway/http/a.ts", "../../../contract/openapi/document"],
  ["the contract describes no repository", "contract/openapi/a.ts", "../../src/services/users/repository"],
  ["the schema imports no code", "drizzle/schema/a.ts", "../../src/kernel/ids"],
  ["the client does not reach into the server", "client/a.ts", "../src/kernel/ids"],
  ["examples do not reach into the server", "examples/consumer/a.ts", "../../src/kernel/ids"],

  ["hono stays in the gateway", "src/services/users/a.ts", "hono"],
  ["hono's middleware stays in the gateway", "src/platform/a.ts", "hono/cors"],
  ["the validator stays in the gateway", "src/wiring.ts", "@hono/zod-validator"],
  ["GraphQL stays in its folder", "src/gateway/http/a.ts", "graphql"],
  ["Connect stays in its folder", "src/services/orders/a.ts", "@connectrpc/connect"],
  ["drizzle stays out of services' decisions", "src/services/users/a.ts", "drizzle-orm"],
  ["drizzle stays out of the gateway", "src/gateway/a.ts", "drizzle-orm/d1"],
  ["jose stays in auth", "src/gateway/http/a.ts", "jose"],
  ["the runtime's modules stay out of services", "src/services/users/a.ts", "cloudflare:workers"],
  ["the runtime's modules stay out of the gateway", "src/gateway/a.ts", "cloudflare:sockets"],

  ["a service reads no table", "src/services/users/a.ts", "../../../drizzle/schema/users"],
  [
    "a repository reads its own tables alone",
    "src/services/users/repository.ts",
    "../../../drizzle/schema/orders",
  ],
  ["so does a platform module", "src/platform/outbox/a.ts", "../../../drizzle/schema/users"],
  ["the gateway reads no table", "src/gateway/a.ts", "../../drizzle/schema/outbox"],
];

/** What the table lets through: at least one import for each of its rows. */
const LET_THROUGH: readonly (readonly [path: string, module: string])[] = [
  ["src/kernel/a.ts", "./b"],
  ["src/kernel/schema.ts", "zod/mini"],
  ["src/platform/a.ts", "cloudflare:workers"],
  ["src/platform/outbox/a.ts", "../../../drizzle/schema/outbox"],
  ["src/services/users/a.ts", "../../kernel/ids"],
  ["src/services/operations/limits/a.ts", "../metrics/b"],
  ["src/services/users/repository.ts", "../../../drizzle/schema/users"],
  ["src/services/auth/session-repository.ts", "../../../drizzle/schema/auth"],
  ["src/services/users/credentials/repository.ts", "drizzle-orm"],
  ["src/services/auth/a.ts", "../users"],
  ["src/services/auth/keys/a.ts", "../../users/index"],
  ["src/services/auth/a.ts", "jose"],
  ["src/gateway/http/routes/a.ts", "../../../services/users"],
  ["src/gateway/http/a.ts", "../error-map"],
  ["src/gateway/http/a.ts", "../../../contract/events/schemas.json"],
  ["src/gateway/protocols.ts", "./graphql/endpoint"],
  ["src/gateway/http/routes/a.ts", "../middleware/b"],
  ["src/gateway/http/a.ts", "@hono/zod-validator"],
  ["src/gateway/graphql/a.ts", "graphql"],
  ["src/gateway/rpc/a.ts", "@connectrpc/connect/protocol"],
  ["src/jobs/consumers/a.ts", "../../services/orders"],
  ["src/jobs/index.ts", "../wiring"],
  ["src/wiring.ts", "./jobs/registry"],
  ["src/entrypoints.ts", "./gateway/bindings/users"],
  ["src/worker.ts", "./gateway/http/app"],
  ["drizzle/schema/a.ts", "drizzle-orm/sqlite-core"],
  ["client/src/a.ts", "./b"],
  ["examples/consumer/a.ts", "./b"],
  ["examples/queue-consumer/src/a.ts", "../../../contract/events"],
  ["contract/openapi/a.ts", "../../src/services/users"],
  ["test/unit/a.test.ts", "../../src/services/users/repository"],
];

const INDEXES: readonly (readonly [string, string])[] = [
  ["contract/events/index.ts", ""],
  ["contract/events/schemas.json", ""],
  ["src/services/users/index.ts", ""],
  ["src/services/auth/index.ts", ""],
  ["src/services/orders/index.ts", ""],
];

function importBreaches(path: string, source: string, rings = RINGS): string[] {
  return breachesOf(new Map([...INDEXES, [path, source]]), rings);
}

const importOf = (module: string) => `import { it } from "${module}";\n`;

describe("the table of rings", () => {
  test.each(REFUSED)("%s", (_, path, module) => {
    expect(importBreaches(path, importOf(module))).toHaveLength(1);
  });

  test.each(LET_THROUGH)("lets %s import %s", (path, module) => {
    expect(importBreaches(path, importOf(module))).toEqual([]);
  });

  test.each(RINGS.map((row, index) => [row.join(": "), index] as const))("needs the row %s", (_, index) => {
    const others = RINGS.filter((_row, at) => at !== index);
    const refused = LET_THROUGH.flatMap(([path, module]) => importBreaches(path, importOf(module), others));
    expect(refused).not.toEqual([]);
  });

  test.each([
    ["a type-only import", 'import type { Context } from "hono";'],
    ["an import over several lines", 'import {\n  Context,\n  type Hono,\n} from "hono";'],
    ["an import for its effect", 'import "hono";'],
    ["a re-export", 'export { Hono } from "hono";'],
    ["a re-export of all", 'export * from "hono";'],
    ["a dynamic import", 'export const it = await import("hono");'],
    ["the type of a module", 'export type It = typeof import("hono");'],
  ])("counts %s", (_, source) => {
    expect(importBreaches("src/services/users/a.ts", `${source}\n`)).toEqual([
      "src/services/users/a.ts must not import hono: see the table in scripts/rings.mjs",
    ]);
  });

  test.each(["utils", "util", "common", "helpers", "helper", "types"])("refuses a file named %s", (name) => {
    const message = (path: string) => [`${path}: give the file a name that says what is in it`];
    for (const path of [`src/services/users/${name}.ts`, `test/support/${name}.ts`])
      expect(importBreaches(path, "")).toEqual(message(path));
    expect(importBreaches("src/services/users/event-types.ts", "")).toEqual([]);
  });
});

interface Breach {
  readonly title: string;
  /** Each file has a name of its own, by which its diagnostics are found. */
  readonly path: string;
  readonly source: string;
  readonly rule: string;
}

const PLUGIN = "plugin";

/** What Biome refuses, in a copy of its set-up. */
const BREACHES: readonly Breach[] = [
  {
    title: "zod is named through its module, so that the bundle can leave things out",
    path: "src/services/users/z2.ts",
    source: 'import { z } from "../../kernel/schema";\nexport const it = z;\n',
    rule: PLUGIN,
  },
  ...[
    "Date.now()",
    "new Date()",
    "Date()",
    "performance.now()",
    "Math.random()",
    "crypto.randomUUID()",
    "crypto.getRandomValues(new Uint8Array(1))",
    "globalThis.crypto.randomUUID()",
    "[1].map(Date.now)",
  ].map((call, index) => ({
    title: `${call} stays in the platform`,
    path: `src/services/users/r${index + 1}.ts`,
    source: `export const it = ${call};\n`,
    rule: PLUGIN,
  })),
  {
    title: "randomness does not come in by node:crypto",
    path: "src/services/auth/r20.ts",
    source: 'import { randomBytes, scrypt } from "node:crypto";\nexport const it = [randomBytes, scrypt];\n',
    rule: PLUGIN,
  },
  {
    title: "console stays in the platform",
    path: "src/services/users/r21.ts",
    source: 'console.log("here");\n',
    rule: "lint/suspicious/noConsole",
  },

  {
    title: "imports form no circle",
    path: "src/gateway/y1.ts",
    source: 'import { it } from "./y2";\nexport const used = it;\n',
    rule: "lint/suspicious/noImportCycles",
  },
  {
    title: "type-only imports form no circle",
    path: "src/gateway/y3.ts",
    source: 'import type { B } from "./y4";\nexport type A = B | null;\n',
    rule: "lint/suspicious/noImportCycles",
  },
  {
    title: "file names are kebab-case",
    path: "src/kernel/someThing.ts",
    source: "export const it = 1;\n",
    rule: "lint/style/useFilenamingConvention",
  },

  {
    title: "a promise is awaited or handed on",
    path: "src/platform/q1.ts",
    source: "async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n",
    rule: "lint/nursery/noFloatingPromises",
  },
  {
    title: "a switch over a union names every case",
    path: "src/kernel/q2.ts",
    source:
      'export function it(of: "a" | "b"): number {\n  switch (of) {\n    case "a":\n      return 1;\n  }\n  return 0;\n}\n',
    rule: "lint/nursery/useExhaustiveSwitchCases",
  },
  {
    title: "a function has at most 70 lines",
    path: "src/kernel/q3.ts",
    source: `export function it(): number {\n  let sum = 0;\n${"  sum += 1;\n".repeat(70)}  return sum;\n}\n`,
    rule: "lint/complexity/noExcessiveLinesPerFunction",
  },
  {
    title: "a function nests and branches within reason",
    path: "src/kernel/q4.ts",
    source: `export function it(n: number): number {\n${"  if (n > 1) for (let i = 0; i < n; i += 1) if (i > 2) while (n > 3) n -= 1;\n".repeat(3)}  return n;\n}\n`,
    rule: "lint/complexity/noExcessiveCognitiveComplexity",
  },
  {
    title: "nothing is asserted to be there",
    path: "src/kernel/q5.ts",
    source: "export const it = (of: string | null): string => of!;\n",
    rule: "lint/style/noNonNullAssertion",
  },
  {
    title: "nothing is of type any",
    path: "src/kernel/q6.ts",
    source: "export const it: any = 1;\n",
    rule: "lint/suspicious/noExplicitAny",
  },
];

/** What is allowed stays allowed: a rule that forbids everything would pass the breaches too. */
const ALLOWED: readonly (readonly [path: string, source: string])[] = [
  ["src/kernel/ok1.ts", 'export { it } from "./ok2";\n'],
  ["src/kernel/schema.ts", 'export * from "zod/mini";\n'],
  [
    "src/kernel/ok2.ts",
    'import * as z from "./schema";\nexport const it = z;\nexport const at = new Date(0);\n',
  ],
  ["src/platform/ok3.ts", "export const it = Date.now();\n"],
  ["src/services/auth/ok8.ts", 'export { scrypt } from "node:crypto";\n'],
  ["test/unit/ok12.test.ts", 'export const it = Date.now();\nconsole.log("here");\n'],
];

/** The other half of each circle. */
const PARTNERS: readonly (readonly [path: string, source: string])[] = [
  ["src/gateway/y2.ts", 'import { used } from "./y1";\nexport const it = used;\n'],
  ["src/gateway/y4.ts", 'import type { A } from "./y3";\nexport type B = A | undefined;\n'],
];

interface Diagnostic {
  readonly rule: string;
  readonly path: string;
}

const house = mkdtempSync(join(tmpdir(), "meridian-lint-"));
let diagnostics: readonly Diagnostic[] = [];

beforeAll(() => {
  for (const path of ["biome.json", "scripts/lint", ".gitignore"])
    cpSync(path, join(house, path), { recursive: true });
  for (const { path, source } of BREACHES) write(path, source);
  for (const [path, source] of [...ALLOWED, ...PARTNERS]) write(path, source);
  diagnostics = lint();
});
afterAll(() => rmSync(house, { recursive: true, force: true }));

function write(path: string, source: string): void {
  mkdirSync(dirname(join(house, path)), { recursive: true });
  writeFileSync(join(house, path), source);
}

function lint(): Diagnostic[] {
  const biome = join(process.cwd(), "node_modules/@biomejs/biome/bin/biome");
  let output = "";
  try {
    output = execFileSync(
      process.execPath,
      [biome, "lint", "--reporter=github", "--max-diagnostics=none", "."],
      { cwd: house, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
  } catch (error) {
    // It found something, which is what it is here for.
    output = (error as { stdout: string }).stdout;
  }
  return [...output.matchAll(/^::(?:error|warning|notice) title=([^,]+),file=([^,]+),/gm)].map((match) => ({
    rule: match[1] ?? "",
    path: match[2] ?? "",
  }));
}

function rulesBrokenBy(path: string): string[] {
  return diagnostics.filter((found) => found.path.endsWith(path)).map(({ rule }) => rule);
}

describe("breaking a rule of the linter fails the check", () => {
  test.each(BREACHES)("$title", ({ path, rule }) => {
    expect(rulesBrokenBy(path)).toContain(rule);
  });
});

describe("what the linter allows passes", () => {
  test.each(ALLOWED)("%s", (path) => {
    expect(rulesBrokenBy(path)).toEqual([]);
  });
});
