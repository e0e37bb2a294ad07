/** The pages in a real browser: they load under their own policy, a call can be tried, and axe finds nothing. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureDocs } from "../../scripts/docs-assets.mjs";
import { browserPath } from "../support/browser";
import { mailedToken } from "../support/mail-files";
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

  describe("the reference", () => {
    let opened: Awaited<ReturnType<typeof open>>;

    // Once for all views: it takes longer to open than to judge.
    beforeAll(async () => {
      opened = await open({}, "/docs");
      await opened.page.click("#operations-Auth-logIn .opblock-summary-control");
      await opened.page.waitForSelector("#operations-Auth-logIn .execute");
    });
    afterAll(async () => await opened?.page.context().close());

    test.each(VIEWS)("$colorScheme, $width wide", async ({ colorScheme, ...viewport }) => {
      const { page, complaints } = opened;
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await settled(page, colorScheme);
      expect(await violations(page)).toEqual([]);
      expect(await overflows(page)).toBe(false);
      expect(complaints).toEqual([]);
    });
  });

  const views = VIEWS.flatMap((view) => [
    { ...view, path: "/verify-email", name: "Confirm this address" },
    { ...view, path: "/reset-password", name: "Change the password" },
  ]);
  test.each(views)("$path, $colorScheme, $width wide", async ({ colorScheme, path, name, ...viewport }) => {
    const { page, complaints } = await open({ colorScheme, viewport }, `${path}?token=abc`);
    await page.getByRole("button", { name }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await overflows(page)).toBe(false);
    expect(complaints).toEqual([]);
    // Refused, and told so: the same rules hold for what is said.
    const password = page.getByLabel("New password");
    if ((await password.count()) > 0) await password.fill(PASSWORD);
    await page.getByRole("button", { name }).click();
    await page.locator("#outcome.bad:not(:empty)").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  test("the token of a mail leaves the address bar, confirms the address at a click, and only then", async () => {
    const name = await signUp();
    const token = await mailedToken(name, "verify-email");
    const { page, complaints } = await open({}, `/verify-email?token=${token}`);
    const button = page.getByRole("button", { name: "Confirm this address" });
    await button.waitFor();
    expect(page.url()).toBe(`${origin}/verify-email`);
    expect(await isVerified(name)).toBe(false);
    await button.click();
    await page.locator("#outcome.good:not(:empty)").waitFor();
    expect(await isVerified(name)).toBe(true);
    expect(complaints).toEqual([]);
    await page.context().close();
    const again = await open({}, `/verify-email?token=${token}`);
    await again.page.getByRole("button", { name: "Confirm this address" }).click();
    await again.page.getByText("was used before").waitFor();
    await again.page.context().close();
  });

  test("a password is reset by the link of a mail, after one that is refused", async () => {
    const name = await signUp();
    await post("/api/auth/password/forgot", { email: emailOf(name) });
    const token = await mailedToken(name, "reset-password");
    const { page } = await open({}, `/reset-password?token=${token}`);
    const password = page.getByLabel("New password");
    await password.fill("passwordpassword");
    await page.getByRole("button", { name: "Change the password" }).click();
    await page.getByText("guessed first").waitFor();
    expect(await password.getAttribute("aria-invalid")).toBe("true");
    await password.fill("a better horse with a staple");
    await page.keyboard.press("Enter");
    await page.getByText("Your password is changed").waitFor();
    expect(page.url()).toBe(`${origin}/reset-password`);
    const statuses = [];
    for (const known of [PASSWORD, "a better horse with a staple"]) {
      statuses.push((await post("/api/auth/login", { email: emailOf(name), password: known })).status);
    }
    expect(statuses).toEqual([401, 200]);
    await page.context().close();
  });

  test.each(["/verify-email", "/reset-password"])(
    "%s without a token says so, and is kept and passed on by nobody",
    async (path) => {
      const { page } = await open({}, path);
      await page.getByText("lacks its token").waitFor();
      expect(await page.getByRole("button").count()).toBe(0);
      const { headers } = await server.fetch(`${path}?token=abc`);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      await page.context().close();
    },
  );

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

  /** Somebody whose name nobody else has, for mails are told apart by it. */
  async function signUp(): Promise<string> {
    const name = `Ada ${crypto.randomUUID().slice(0, 8)}`;
    await post("/api/users", { name, email: emailOf(name), password: PASSWORD });
    return name;
  }

  async function isVerified(name: string): Promise<boolean> {
    const { user } = await (
      await post("/api/auth/login", { email: emailOf(name), password: PASSWORD })
    ).json();
    return user.emailVerified;
  }

  async function post(path: string, json: object) {
    const headers = { "Content-Type": "application/json" };
    const response = await server.fetch(path, { method: "POST", headers, body: JSON.stringify(json) });
    return response as unknown as { status: number; json(): Promise<{ user: { emailVerified: boolean } }> };
  }

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

function emailOf(name: string): string {
  return `${name.replace(" ", ".").toLowerCase()}@example.com`;
}

/** Waits until the page has the colour scheme, and no colour fades any more from one scheme into the other. */
async function settled(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  const script = `(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    while (!matchMedia("(prefers-color-scheme: ${colorScheme})").matches) await frame();
    // The styles of the scheme apply in the next frame, and a fade starts in the one after it.
    await frame();
    do {
      await frame();
      await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
    } while (document.getAnimations().length > 0);
  })()`;
  await page.evaluate(script);
}

/** What axe finds, by rule. Run by the debugger, which the page's policy does not bind. */
async function violations(page: Page): Promise<string[]> {
  const script = `${axe};axe.run({ resultTypes: ["violations"] })
    .then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`;
  return await page.evaluate<string[]>(script);
}

async function overflows(page: Page): Promise<boolean> {
  return await page.evaluate<boolean>("document.documentElement.scrollWidth > window.innerWidth");
}
