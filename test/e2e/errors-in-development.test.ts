/** What a developer reads on the terminal of `npm start` when the code, the schema or a variable is wrong. */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { copyProject, type StartedProject, startProject } from "../support/project-copy";

const copy = copyProject();
let server: StartedProject;

/** By file: what a mistake of its author replaces, and what is there then. */
const MISTAKES: readonly (readonly [file: string, from: string, to: string])[] = [
  ["src/gateway/http/routes/operations.ts", '{ status: "ok" }', "{ status: nothing().route }"],
  [
    "src/gateway/graphql/schema/products.ts",
    'listQuery(call, "products.list", page)',
    'listQuery(call, "products.list", nothing().resolver)',
  ],
  ["src/jobs/mails/welcome-mail.ts", "if (found === null)", "nothing().consumer; if (found === null)"],
  ["src/services/orders/expiry.ts", "const cutoff = scope.clock()", "const cutoff = nothing().task"],
  [
    "src/platform/limiter/client-limiter.ts",
    "ping(): Promise<void> {",
    "ping(): Promise<void> { nothing().object;",
  ],
  // A table of the code that no migration makes.
  ["drizzle/schema/operations.ts", '"daily_signups"', '"daily_sign_ups"'],
];
const HELPER = "\nfunction nothing(): any {\n  return undefined;\n}\n";

function replace(file: string, from: string, to: string): void {
  const path = join(copy.folder, file);
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  writeFileSync(`${path}.new`, text.replace(from, to));
  // In one step: a server that reads wrangler.toml while it is written ends for lack of an entry.
  renameSync(`${path}.new`, path);
}

beforeAll(async () => {
  for (const [file, from, to] of MISTAKES) {
    replace(file, from, to);
    appendFileSync(join(copy.folder, file), HELPER);
  }
  replace("wrangler.toml", "[vars]", '[vars]\nCORS_ORIGIN = "*"');
  server = await startProject(copy.folder);
});
afterAll(async () => {
  await server?.stop();
  copy.remove();
});

/** Waits until the terminal shows the message and, in the stack below it, the line of the mistake. */
async function expectShown(message: string, file: string): Promise<void> {
  const lines = readFileSync(join(copy.folder, file), "utf8").split("\n");
  const line = lines.findIndex((text) => text.includes("nothing().")) + 1;
  const place = `${file.replaceAll(".", "\\.")}:${line}:\\d+`;
  const shown = new RegExp(
    `TypeError: ${message}[^\\n]*\\n(?:\\s+at [^\\n]*\\n|\\s*\\n)*?\\s+at [^\\n]*${place}`,
  );
  await expect.poll(server.output, { timeout: 20_000 }).toMatch(shown);
}

const reading = (member: string) => `Cannot read properties of undefined \\(reading '${member}'\\)`;

async function post(path: string, body: object): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return await fetch(`${server.base}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

test("a mistake in a route: its message, file and line; its client learns nothing of it", async () => {
  const response = await fetch(`${server.base}/healthz`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toMatch(/TypeError|reading|operations/);
  await expectShown(reading("route"), "src/gateway/http/routes/operations.ts");
});

test("a mistake in a chunk that is loaded on demand: the same", async () => {
  const response = await post("/graphql", { query: "{ products { edges { node { id } } } }" });
  expect(await response.text()).not.toMatch(/TypeError|reading/);
  await expectShown(reading("resolver"), "src/gateway/graphql/schema/products.ts");
});

test("mistakes in a consumer, in a task of the cron and in a Durable Object: the same", async () => {
  const person = { name: "Ada Lovelace", email: "ada@meridian.example" };
  expect((await post("/api/users", person)).status).toBe(201);
  await expectShown(reading("consumer"), "src/jobs/mails/welcome-mail.ts");
  await expectShown(reading("task"), "src/services/orders/expiry.ts");
  await expectShown(reading("object"), "src/platform/limiter/client-limiter.ts");
});

test("a table that no migration has made: SQLite's message, the statement, and what to run", async () => {
  await expect.poll(server.output, { timeout: 20_000 }).toContain("no such table: daily_sign_ups");
  await expect.poll(server.output).toContain("npx wrangler d1 migrations apply DB --local");
  expect(server.output()).toMatch(/in: insert into "daily_sign_ups" \("day", "count"\) values \(\?, \?\)/);
});

test("a variable with a misspelt name is suspected at the start", () => {
  expect(server.output()).toContain("did you mean CORS_ORIGINS?");
});

test("a variable that is wrong: the form that it must have, and what it has; of a secret only the form", async () => {
  const secret = "planted-secret-of-a-wrong-form";
  replace(".dev.vars", "DATA_KEY=", `DATA_KEY=${secret}`);
  // Wrangler reads both files again when this one is saved.
  replace("wrangler.toml", "[vars]", '[vars]\nRATE_LIMIT_MAX = "plenty"');
  const isRefused = async () => (await fetch(`${server.base}/healthz`).catch(() => null))?.status === 503;
  await vi.waitFor(async () => expect(await isRefused(), server.output()).toBe(true), {
    timeout: 25_000,
    interval: 200,
  });
  const numbers = 'RATE_LIMIT_MAX: expected a whole number from 1 to 1000000000; got "plenty"';
  await expect.poll(server.output, { timeout: 5_000 }).toContain(numbers);
  expect(server.output()).toContain("DATA_KEY: expected 32 random bytes in base64url");
  expect(server.output()).not.toContain(secret);
});
