/**
 * `@meridian/client` in three runtimes, against the built Worker, over a network that loses answers; in a browser from
 * another origin. In Workers: test/integration/client.test.ts.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { decodeJwt, importJWK, SignJWT } from "jose";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestHarness } from "wrangler";
import { browserPath } from "../support/browser";
import { openLossyProxy } from "../support/client-walk/lossy-proxy";
import type { Report, Situation } from "../support/client-walk/walk";
import { denoCommand } from "../support/deno";
import { TEST_SECRETS } from "../support/secrets";

const WALK_WITHIN_MS = 120_000;
const executablePath = browserPath();
const deno = await denoCommand();

/** Where the browser's page comes from: the server lets this origin in, and no other. */
const pages = createServer();
let folder: string;
let upstream: URL;
let adminToken: string;
let server: ReturnType<typeof createTestHarness>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "meridian-client-"));
  const bundle = await bundleWalk();
  const pageOrigin = await servePage(pages, bundle);
  const vars = { CORS_ORIGINS: pageOrigin };
  server = createTestHarness({
    workers: [{ configPath: "./wrangler.toml", secrets: TEST_SECRETS, vars }],
  });
  upstream = (await server.listen()).url;
  await server.getWorker<Env>().applyD1Migrations("DB");
  adminToken = await signAdminToken();
});
afterAll(async () => {
  pages.close();
  pages.closeAllConnections();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.concurrent("the client", () => {
  test(
    "in Node",
    async () => {
      const module = await import(pathToFileURL(join(folder, "walk.mjs")).href);
      await walked("node", 1, (situation) => module.walk(situation));
    },
    WALK_WITHIN_MS,
  );

  test.skipIf(executablePath === undefined)(
    "in a browser, from another origin",
    async () => {
      const browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
      try {
        const page = await browser.newPage();
        await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
        await walked("browser", 2, (situation) =>
          page.evaluate<Report>(`import("/walk.mjs").then(({ walk }) => walk(${JSON.stringify(situation)}))`),
        );
      } finally {
        await browser.close();
      }
    },
    WALK_WITHIN_MS,
  );

  test.skipIf(deno === null)(
    "in Deno",
    async () => {
      const entry = join(folder, "deno.mjs");
      writeFileSync(
        entry,
        'import { walk } from "./walk.mjs";\nconsole.log(JSON.stringify(await walk(JSON.parse(Deno.args[0]))));\n',
      );
      const [command = "", ...first] = deno ?? [];
      const env = { ...process.env, DENO_DIR: join(folder, "deno"), DENO_NO_UPDATE_CHECK: "1" };
      await walked("deno", 3, async (situation) => {
        const args = [...first, "run", "--no-config", "--allow-net", entry, JSON.stringify(situation)];
        const { stdout } = await promisify(execFile)(command, args, { env, cwd: folder });
        return JSON.parse(stdout);
      });
    },
    WALK_WITHIN_MS,
  );
});

/** Every runtime sees the same, and so does who looks at the wire. */
async function walked(run: string, number: number, go: (situation: Situation) => Promise<Report>) {
  const proxy = await openLossyProxy(upstream, `2001:db8:c11e:${number}::1`);
  try {
    const report = await go({ baseUrl: proxy.url, run, adminToken });
    expect(report).toEqual({
      signUpIsReplay: true,
      again: "email_taken",
      refused: { code: "validation_failed", pointers: expect.arrayContaining(["#/name", "#/email"]) },
      readBack: 36,
      etags: ['"1"', '"2"', '"2"'],
      requestIdLength: 36,
      stale: "precondition_failed",
      renewals: { answered: 5, sessions: 1 },
      skus: ["A", "B", "C", "D", "E"].map((name) => `${run.toUpperCase()}-${name}`),
      limited: { answered: 8, impatient: { code: "rate_limited", waits: true } },
    });
    const calls = proxy.passed.filter(({ method }) => method !== "OPTIONS");
    const to = (path: string) => calls.filter((call) => call.path === path);
    expect(to("/api/auth/refresh").map(({ status }) => status)).toEqual([200]);
    const signUps = to("/api/users").filter(({ status }) => status === 201);
    expect(signUps.map(({ isLost }) => isLost)).toEqual([true, false, true, false]);
    expect(new Set(signUps.map(({ key }) => key)).size).toBe(2);
    const pagesOfProducts = calls.filter((call) => call.path.startsWith("/api/products?limit=2"));
    expect(pagesOfProducts.length).toBeGreaterThanOrEqual(3);
    expect(calls.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(2);
  } finally {
    proxy.close();
  }
}

async function bundleWalk(): Promise<string> {
  const outfile = join(folder, "walk.mjs");
  const entryPoints = ["test/support/client-walk/walk.ts"];
  // For no platform in particular: what one of them lacks does not build, or does not run.
  await build({ entryPoints, outfile, bundle: true, format: "esm", target: "es2022", platform: "neutral" });
  return outfile;
}

async function servePage(pageServer: Server, bundle: string): Promise<string> {
  const script = readFileSync(bundle);
  pageServer.on("request", (request, answer) => {
    const isScript = request.url === "/walk.mjs";
    answer.writeHead(200, { "Content-Type": isScript ? "text/javascript" : "text/html" });
    answer.end(isScript ? script : "<!doctype html><title>Elsewhere</title>");
  });
  await new Promise<void>((resolve) => pageServer.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(pageServer.address() as AddressInfo).port}`;
}

/** A user's own token, with another role: signed by the key that the tests' server has. */
async function signAdminToken(): Promise<string> {
  const credentials = { email: "admin@client.example", password: "correct horse battery staple" };
  await post("/api/users", { name: "Grace", ...credentials });
  const { accessToken } = await post("/api/auth/login", credentials);
  const [key] = JSON.parse(TEST_SECRETS.JWT_SIGNING_KEYS).keys;
  return await new SignJWT({ ...decodeJwt(accessToken), role: "admin" })
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: key.kid })
    .sign(await importJWK(key, "ES256"));
}

async function post(path: string, json: object) {
  const response = await server.fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(json),
  });
  return (await response.json()) as { accessToken: string };
}
