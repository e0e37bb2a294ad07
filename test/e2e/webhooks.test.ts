import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TEST_SECRETS } from "../support/secrets.ts";
import { testServer } from "../support/server-output.ts";

const PASSWORD = "correct horse battery staple";
const received: { headers: IncomingHttpHeaders; body: string }[] = [];
let answers: number[] = [];
/** Answers that are kept back, while the receiver hangs. */
let held: (() => void)[] | null = null;

const receiver = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text) => {
    body += text;
  });
  request.on("end", () => {
    received.push({ headers: request.headers, body });
    const answer = () => void response.writeHead(answers.shift() ?? 200).end();
    if (held === null) answer();
    else held.push(answer);
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

test("mails go out while an endpoint hangs with more deliveries than a queue hands over at once", async () => {
  const env = await server.getWorker<Env>().getEnv();
  const count = async (consumer: string, state: string) => {
    const query =
      "select count(*) as n from event_deliveries where consumer like ? and state = ? and event_id in (select id from outbox_events where subject in (select value from json_each(?)))";
    const row = await env.DB.prepare(query).bind(consumer, state, JSON.stringify(ids)).first<{ n: number }>();
    return row?.n;
  };
  const ids: string[] = [];
  held = [];
  try {
    for (let person = 0; person < 25; person += 1) {
      const { id } = await post("/api/users", { name: "Ada Lovelace", email: `hung${person}@example.com` });
      ids.push(id ?? "");
    }
    await expect.poll(() => held?.length, { timeout: 20_000, interval: 100 }).toBeGreaterThan(0);
    await expect.poll(() => count("welcome-mail", "done"), { timeout: 20_000, interval: 100 }).toBe(25);
    expect(await count("webhook:%", "done")).toBe(0);
  } finally {
    for (const answer of held) answer();
    held = null;
  }
  await expect.poll(() => count("webhook:%", "done"), { timeout: 60_000, interval: 200 }).toBe(25);
}, 120_000);
