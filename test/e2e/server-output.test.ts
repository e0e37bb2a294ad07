/** What the built Worker prints, under `wrangler dev`, while it is entrusted with secrets in every place that takes one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../../scripts/tools.mjs";
import { startDevServer } from "../support/dev-server.ts";
import { PLANTED } from "../support/planted-secrets.ts";
import { takeLeaks } from "../support/server-output.ts";

const HEADERS = {
  "Content-Type": "application/json",
  "User-Agent": PLANTED.userAgent,
  "CF-Connecting-IP": PLANTED.address,
  Cookie: `session=${PLANTED.refreshToken}`,
  Authorization: `Bearer ${PLANTED.accessToken}`,
};

const { name, email, password, bio } = PLANTED;
const CREDENTIALS = { email, password };
const TOKEN = { token: PLANTED.oneTimeToken };

/** By path: what is sent there. */
const SENT: readonly (readonly [path: string, body: object | string])[] = [
  ["/api/users", { name, email, password, profile: { bio } }],
  ["/api/users", { name, email, password }],
  ["/api/users", { name: "", email: `${email} `, password: [password] }],
  ["/api/users", `{"password": "${password}"`],
  ["/api/auth/login", CREDENTIALS],
  ["/api/auth/login", { email, password: PLANTED.otherPassword }],
  ["/api/auth/refresh", { refreshToken: PLANTED.refreshToken }],
  ["/api/auth/password/forgot", { email }],
  ["/api/auth/password/reset", { ...TOKEN, password: PLANTED.otherPassword }],
  ["/api/auth/email/verify", TOKEN],
  // No marked path: wrangler's own line for a developer shows those.
  [`/api/nothing?token=${PLANTED.oneTimeToken}`, CREDENTIALS],
  [
    "/graphql",
    { query: `mutation { logIn(input: {email: "${email}", password: "${password}"}) { wrong } }` },
  ],
  ["/rpc/auth.v1.AuthService/LogIn", CREDENTIALS],
  ["/rpc/auth.v1.AuthService/VerifyToken", { accessToken: PLANTED.accessToken }],
];

/** Without a token the body is read; with a bad one the refusal comes first. */
const { Authorization: _, ...STRANGER } = HEADERS;

test("the built Worker prints none of what it is entrusted with, by request, message, mail or cron", async () => {
  const server = await startDevServer(["wrangler.toml"], { LOG_LEVEL: "debug", RATE_LIMIT_MAX: "1000" });
  try {
    for (const headers of [STRANGER, HEADERS]) {
      for (const [path, body] of SENT) {
        const text = typeof body === "string" ? body : JSON.stringify(body);
        await (await fetch(`${server.base}${path}`, { method: "POST", headers, body: text })).arrayBuffer();
      }
    }
    // The welcome, the way to a new password, and the notice of a second sign-up.
    await expect.poll(server.output, { timeout: 30_000 }).toContain('"consumer":"welcome-mail"');
    await fetch(`${server.base}/cdn-cgi/local/scheduled`);
    await expect.poll(server.output, { timeout: 30_000 }).toContain('"event":"cron"');
    const requests = server.output().match(/"event":"request"/g) ?? [];
    expect(requests.length).toBeGreaterThanOrEqual(2 * SENT.length);
  } finally {
    server.stop();
  }
  expect(takeLeaks(server.output)).toEqual([]);
}, 120_000);

test("a server that prints a secret is found out", async () => {
  const cache = join(ROOT, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "leaky-"));
  writeFileSync(
    join(folder, "wrangler.toml"),
    'name = "leaky"\nmain = "worker.js"\ncompatibility_date = "2026-10-20"\n',
  );
  writeFileSync(
    join(folder, "worker.js"),
    "export default { async fetch(request) { console.log(await request.text()); return new Response(); } };\n",
  );
  const server = await startDevServer([join(folder, "wrangler.toml")]);
  try {
    await fetch(server.base, { method: "POST", body: JSON.stringify({ said: PLANTED.oneTimeToken }) });
    await expect.poll(server.output, { timeout: 30_000 }).toContain("said");
  } finally {
    server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  expect(takeLeaks(server.output)).toEqual([expect.stringContaining(PLANTED.oneTimeToken)]);
}, 120_000);
