/** The rules of the house, each shown to fail when it is broken: one file a rule, in a copy of the linter's set-up. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

interface Breach {
  readonly title: string;
  /** Each file has a name of its own, by which its diagnostics are found. */
  readonly path: string;
  readonly source: string;
  readonly rule: string;
}

const IMPORTS = "lint/style/noRestrictedImports";
const PLUGIN = "plugin";

function importing(title: string, path: string, module: string, rule = IMPORTS): Breach {
  return { title, path, source: `import { it } from "${module}";\nexport const used = it;\n`, rule };
}

const BREACHES: readonly Breach[] = [
  importing(
    "zod has one door, so that its large form cannot come in beside the small one",
    "src/services/users/z1.ts",
    "zod",
    PLUGIN,
  ),
  {
    title: "zod is named through its module, so that the bundle can leave things out",
    path: "src/services/users/z2.ts",
    source: 'import { z } from "../../kernel/schema";\nexport const it = z;\n',
    rule: PLUGIN,
  },
  importing("the kernel imports nothing above it", "src/kernel/k1.ts", "../platform/clock"),
  importing("the kernel imports no package but zod", "src/kernel/k2.ts", "fast-check"),
  importing("the kernel imports no built-in", "src/kernel/k3.ts", "node:buffer"),
  importing("the platform knows no service", "src/platform/p1.ts", "../services/users"),
  importing("the platform knows no gateway", "src/platform/cache/p2.ts", "../../gateway/error-map"),
  importing("the platform knows no wiring", "src/platform/p3.ts", "../wiring"),
  importing("a service knows no gateway", "src/services/users/s1.ts", "../../gateway/error-map"),
  importing("a service knows no wiring", "src/services/operations/limits/s2.ts", "../../wiring"),
  importing("a service knows no other service", "src/services/orders/s3.ts", "../users"),
  importing("a service knows no other service's insides", "src/services/users/s4.ts", "../auth/service"),
  importing(
    "a service's subfolder knows no other service",
    "src/services/orders/stock/s5.ts",
    "../../users/index",
  ),
  importing("auth enters users by its door alone", "src/services/auth/s6.ts", "../users/repository"),
  importing("auth knows no service but users", "src/services/auth/s7.ts", "../orders"),
  importing("auth's subfolders enter users by its door", "src/services/auth/keys/s8.ts", "../../users/model"),
  importing("the gateway knows no wiring", "src/gateway/g1.ts", "../wiring"),
  importing(
    "the gateway calls no repository",
    "src/gateway/http/routes/g2.ts",
    "../../../services/users/repository",
  ),
  importing("REST does not import GraphQL", "src/gateway/http/g3.ts", "../graphql/schema"),
  importing("REST does not import RPC, however deep", "src/gateway/http/routes/g4.ts", "../../rpc/router"),
  importing("GraphQL does not import REST", "src/gateway/graphql/g5.ts", "../http/app"),
  importing("RPC does not import GraphQL", "src/gateway/rpc/g6.ts", "../graphql/schema"),
  importing("consumers do not import REST", "src/jobs/consumers/g7.ts", "../http/app"),
  importing("the wiring does not import the worker", "src/wiring.ts", "./worker"),
  importing("the schema knows no code", "drizzle/schema/d1.ts", "../../src/kernel/ids"),
  importing("the client does not reach into the server", "client/c1.ts", "../src/kernel/ids"),
  importing("examples do not reach into the server", "examples/consumer/e1.ts", "../../src/kernel/ids"),

  importing("hono stays in the gateway", "src/services/users/l1.ts", "hono", PLUGIN),
  importing("hono's middleware stays in the gateway", "src/platform/l2.ts", "hono/cors", PLUGIN),
  importing(
    "the validator middleware stays in the gateway",
    "src/wiring.l3.ts",
    "@hono/zod-validator",
    PLUGIN,
  ),
  importing("GraphQL stays in the gateway", "src/services/orders/l4.ts", "graphql-yoga", PLUGIN),
  importing("Connect stays in the gateway", "src/services/orders/l5.ts", "@connectrpc/connect", PLUGIN),
  importing("drizzle stays out of services' decisions", "src/services/users/l6.ts", "drizzle-orm", PLUGIN),
  importing("drizzle stays out of the gateway", "src/gateway/l7.ts", "drizzle-orm/d1", PLUGIN),
  importing("jose stays in auth", "src/gateway/http/l8.ts", "jose", PLUGIN),
  importing(
    "the runtime's modules stay out of services",
    "src/services/users/l9.ts",
    "cloudflare:workers",
    PLUGIN,
  ),
  importing(
    "the runtime's modules stay out of the gateway",
    "src/gateway/l10.ts",
    "cloudflare:sockets",
    PLUGIN,
  ),
  importing(
    "the Worker runs without the contract",
    "src/gateway/http/l12.ts",
    "../../../contract/openapi",
    PLUGIN,
  ),
  {
    title: "a type-only import counts",
    path: "src/services/users/l11.ts",
    source: 'import type { Context } from "hono";\nexport type It = Context;\n',
    rule: PLUGIN,
  },
  {
    title: "a re-export counts",
    path: "src/services/users/l12.ts",
    source: 'export { Hono } from "hono";\n',
    rule: PLUGIN,
  },
  {
    title: "a dynamic import counts",
    path: "src/services/users/l13.ts",
    source: 'export const it = await import("hono");\n',
    rule: PLUGIN,
  },

  importing("a service reads no table", "src/services/users/t1.ts", "../../../drizzle/schema/users", PLUGIN),
  importing(
    "a repository reads no other owner's table",
    "src/services/users/t2-repository.ts",
    "../../../drizzle/schema/orders",
    PLUGIN,
  ),
  importing(
    "a platform module reads no other owner's table",
    "src/platform/outbox/t3.ts",
    "../../../drizzle/schema/users",
    PLUGIN,
  ),
  importing("the gateway reads no table", "src/gateway/t4.ts", "../../drizzle/schema/outbox", PLUGIN),

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

  importing("imports form no circle", "src/gateway/y1.ts", "./y2", "lint/suspicious/noImportCycles"),
  {
    title: "type-only imports form no circle",
    path: "src/gateway/y3.ts",
    source: 'import type { B } from "./y4";\nexport type A = B | null;\n',
    rule: "lint/suspicious/noImportCycles",
  },
  ...["utils", "common", "helpers", "types"].map((name) => ({
    title: `no file is named ${name}`,
    path: `src/services/users/${name}.ts`,
    source: "export const it = 1;\n",
    rule: "lint/style/useFilenamingConvention",
  })),
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
  [
    "src/platform/ok3.ts",
    'import { env } from "cloudflare:workers";\nexport const it = [env, Date.now()];\n',
  ],
  ["src/platform/outbox/ok4.ts", 'export { outboxEvents } from "../../../drizzle/schema/outbox";\n'],
  ["src/services/users/ok5.ts", 'export { it } from "../../kernel/ok1";\nexport { at } from "./ok6";\n'],
  ["src/services/users/repository.ts", 'export { users } from "../../../drizzle/schema/users";\n'],
  ["src/services/auth/session-repository.ts", 'export { it } from "../../../drizzle/schema/auth";\n'],
  ["src/services/auth/ok7.ts", 'export { it } from "../users";\nexport { jwtVerify } from "jose";\n'],
  ["src/services/auth/ok8.ts", 'export { scrypt } from "node:crypto";\n'],
  [
    "src/services/auth/keys/ok9.ts",
    'export { it } from "../../users/index";\nexport { at } from "../ok7";\n',
  ],
  ["src/gateway/http/ok10.ts", 'export { Hono } from "hono";\nexport { it } from "../../services/users";\n'],
  ["src/gateway/graphql/ok11.ts", 'export { graphql } from "graphql";\nexport { it } from "../error-map";\n'],
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

describe("breaking a rule of the house fails the check", () => {
  test.each(BREACHES)("$title", ({ path, rule }) => {
    expect(rulesBrokenBy(path)).toContain(rule);
  });
});

describe("what the house allows passes", () => {
  test.each(ALLOWED)("%s", (path) => {
    expect(rulesBrokenBy(path)).toEqual([]);
  });
});
