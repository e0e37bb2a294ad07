/** The pages in a real browser: they load under their own policy, a call can be tried, and axe finds nothing. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureDocs } from "../../scripts/docs-assets.mjs";
import { browserPath } from "../support/browser";
import { TEST_SECRETS } from "../support/secrets";
import { testServer } from "../support/server-output";

const executablePath = browserPath();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PASSWORD = "correct horse battery staple";
const VIEWS = [
  { colorScheme: "light", width: 1280, height: 900 },
  { colorScheme: "dark", width: 1280, height: 900 },
  { colorScheme: "light", width: 390, height: 844 },
  { colorScheme: "dark", width: 390, height: 844 },
] as const;

describe.skipIf(executablePath === undefined)("in a browser", () => {
  const server = testServer({ workers: [{ configPath: "./wrangler.toml", secrets: TEST_SECRETS }] });
  let browser: Browser;
  let origin: string;

  beforeAll(async () => {
    ensureDocs();
    const { url } = await server.listen();
    origin = url.origin;
    await server.getWorker<Env>().applyD1Migrations("DB");
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    await server.close();
  });

  test.each(VIEWS)("the front page, $colorScheme, $width wide", async ({ colorScheme, ...viewport }) => {
    const { page, complaints } = await open({ colorScheme, viewport }, "/");
    expect(await page.getByRole("link", { name: "/docs" }).count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    expect(await overflows(page)).toBe(false);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test.each(VIEWS)("the reference, $colorScheme, $width wide", async ({ colorScheme, ...viewport }) => {
    const { page, complaints } = await open({ colorScheme, viewport }, "/docs");
    await page.click("#operations-Auth-logIn .opblock-summary-control");
    await page.waitForSelector("#operations-Auth-logIn .execute");
    expect(await violations(page)).toEqual([]);
    expect(await overflows(page)).toBe(false);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a login tried in the reference is used for the next call", async () => {
    const email = "tries@example.com";
    await server.fetch("/api/users", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: "Ada Lovelace", email, password: PASSWORD }),
    });
    const { page, complaints } = await open({}, "/docs");
    await page.click("#operations-Auth-logIn .opblock-summary-control");
    await page.fill("#operations-Auth-logIn textarea", JSON.stringify({ email, password: PASSWORD }));
    await page.click("#operations-Auth-logIn .execute");
    await page.waitForSelector("#operations-Auth-logIn .live-responses-table");
    await page.click("#operations-Users-getMe .opblock-summary-control");
    await page.click("#operations-Users-getMe .execute");
    const answer = page.locator("#operations-Users-getMe .live-responses-table");
    await answer.waitFor();
    expect(await answer.textContent()).toContain(email);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  async function open(
    view: NonNullable<Parameters<Browser["newContext"]>[0]>,
    path: string,
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext(view);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      const { protocol, origin: to } = new URL(request.url());
      if (protocol !== "data:" && to !== origin) complaints.push(`left for ${to}`);
    });
    const response = await page.goto(origin + path);
    expect(response?.headers()["content-security-policy"]).toContain("default-src 'none'");
    if (path === "/docs") await page.waitForSelector("#operations-Auth-logIn");
    return { page, complaints };
  }
});

/** What axe finds, by rule. Run by the debugger, which the page's policy does not bind. */
async function violations(page: Page): Promise<string[]> {
  const script = `${axe};axe.run({ resultTypes: ["violations"] })
    .then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`;
  return await page.evaluate<string[]>(script);
}

async function overflows(page: Page): Promise<boolean> {
  return await page.evaluate<boolean>("document.documentElement.scrollWidth > window.innerWidth");
}
