/** The build that is uploaded, with the configuration of a project that was never deployed. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildWorker, modulesIn } from "../../scripts/build.mjs";
import { ROOT } from "../../scripts/tools.mjs";
import { TEST_SECRETS } from "../support/secrets";

const cache = join(ROOT, "node_modules/.cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, "deployed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => void (await buildWorker({ outdir: folder })));

async function answerWith(vars: Readonly<Record<string, string>>, path: string) {
  const logged: string[] = [];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modulesRoot: folder,
      modules: modulesIn(folder).map((name) => ({ type: "ESModule", path: join(folder, name) })),
      compatibilityDate: "2026-10-20",
      compatibilityFlags: ["nodejs_compat"],
      bindings: { ...TEST_SECRETS, MAIL_FROM: "hello@meridian.example", ...vars },
      handleStructuredLogs: ({ message }: { message: string }) => void logged.push(message),
    }),
  );
  try {
    const response = await miniflare.dispatchFetch(`http://meridian.example${path}`);
    const { status } = response;
    return { status, text: await response.text(), logged: logged.join("\n") };
  } finally {
    await miniflare.dispose();
  }
}

const NOT_CONFIGURED = "The service is not configured. Its operator finds the reason in the log.";

test("PUBLIC_URL on this machine is 503, and the log says what to set; the answer does not", async () => {
  const { status, text, logged } = await answerWith({ PUBLIC_URL: "http://localhost:8787" }, "/healthz");
  expect([status, JSON.parse(text).code]).toEqual([503, "unavailable"]);
  expect(JSON.parse(text).detail).toBe(NOT_CONFIGURED);
  expect(logged).toContain(
    "PUBLIC_URL, which is an address of this machine: set it to the address that clients use",
  );
  expect(text).not.toContain("PUBLIC_URL");
});

test("a variable that is wrong is named, its value and its form withheld", async () => {
  const vars = { PUBLIC_URL: "https://meridian.example", RATE_LIMIT_MAX: "plenty", CORS_ORIGIN: "*" };
  const { status, text, logged } = await answerWith(vars, "/readyz");
  expect([status, JSON.parse(text).detail]).toEqual([503, NOT_CONFIGURED]);
  for (const path of ["/graphql", "/rpc/users.v1.UserService/GetUser"])
    expect((await answerWith(vars, path)).text).toContain(NOT_CONFIGURED);
  expect(logged).toContain('"error":"AppError: configuration is not valid: RATE_LIMIT_MAX","stack":"    at ');
  expect(logged).not.toMatch(/plenty|whole number|did you mean/);
});

test("an address that clients use is served", async () => {
  expect((await answerWith({ PUBLIC_URL: "https://meridian.example" }, "/healthz")).status).toBe(200);
});
