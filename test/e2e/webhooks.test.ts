import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TEST_SECRETS } from "../support/secrets.ts";
import { testServer } from "../support/server-output.ts";

const PASSWORD = "correct horse battery staple";
const received: { headers: IncomingHttpHeaders; body: string }[] = [];
let answers: number[] = [];

const receiver = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text) => {
    body += text;
  });
  request.on("end", () => {
    received.push({ headers: request.headers, body });
    response.writeHead(answers.shift() ?? 200).end();
  });
});

const server = testServer({
  workers: [
    {
      configPath: "./wrangler.toml",
      secrets: TEST_SECRETS,
      vars: { WEBHOOK_ALLOW_LOCAL: "true", WEBHOOK_BACKOFF_SECONDS: "1" },
    },
  ],
});

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  await server.listen();
  await server.getWorker<Env>().applyD1Migrations("DB");
});
afterAll(async () => {
  receiver.close();
  await server.close();
});

async function post(path: string, body: object, token?: string) {
  const response = await server.fetch(path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, string>;
}

async function adminToken(): Promise<string> {
  const user = await post("/api/users", {
    name: "Grace Hopper",
    email: "grace@example.com",
    password: PASSWORD,
  });
  const env = await server.getWorker<Env>().getEnv();
  await env.DB.prepare("update users set role = 'admin' where id = ?").bind(user.id).run();
  const { accessToken } = await post("/api/auth/login", { email: "grace@example.com", password: PASSWORD });
  return accessToken ?? "";
}

test("a receiver that fails once gets the event again, under one id, signed so that Standard Webhooks verifies it", async () => {
  const token = await adminToken();
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const { secret } = await post("/api/webhooks", { url, types: ["user.created"] }, token);
  answers = [503];
  const { id } = await post("/api/users", { name: "Ada Lovelace", email: "ada@example.com" });
  await expect.poll(() => received.length, { timeout: 20_000, interval: 100 }).toBe(2);
  expect(received[0]?.headers["webhook-id"]).toBe(received[1]?.headers["webhook-id"]);
  for (const { headers, body } of received) {
    const event = new Webhook(secret ?? "").verify(body, headers as Record<string, string>);
    expect(event).toMatchObject({ type: "user.created", subject: id });
  }
}, 40_000);
