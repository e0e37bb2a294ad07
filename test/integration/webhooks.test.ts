import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { CloudEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { afterEach, expect, test, vi } from "vitest";
import { createApp } from "../../src/gateway/http/app";
import { callBy } from "../../src/platform/call";
import { configOf } from "../../src/platform/env";
import { type CallKey, NO_KEY } from "../../src/platform/idempotency";
import { Vault } from "../../src/platform/vault";
import { WebhookDeliverer } from "../../src/services/webhooks/deliverer";
import type { TargetPolicy } from "../../src/services/webhooks/target";
import { wire } from "../../src/wiring";
import { type Account, createAccount, createAdmin } from "../support/accounts";
import { call } from "../support/client";
import { ADMIN, granted } from "../support/orders";
import { type Bench, bench, commitEvent, dispatcher, handOver, rowsOf } from "../support/outbox";
import { TEST_SECRETS } from "../support/secrets";

const PUBLIC = "https://hooks.example.com/meridian";

/** What decides a URL where `PUBLIC_URL` is `https://api.example.com`. */
const POLICY: TargetPolicy = {
  allowLocal: false,
  publicUrl: "https://api.example.com",
  deniedDomains: [],
  resolve: async () => ["93.184.215.14"],
};

interface Received {
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
  readonly redirect: string;
}

/** Stands for the internet: name look-ups that answer `addresses`, and a receiver that answers `status`. */
function internet(
  options: { addresses?: string[]; status?: number; respond?: () => Promise<Response> } = {},
) {
  const received: Received[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo, init: RequestInit = {}) => {
    const request = new Request(input, init);
    if (request.url.startsWith("https://cloudflare-dns.com/")) {
      const Answer = (options.addresses ?? ["93.184.215.14"]).map((data) => ({
        type: data.includes(":") ? 28 : 1,
        data,
      }));
      return Response.json({ Status: 0, Answer });
    }
    const { url, headers, redirect } = request;
    received.push({ url, headers, body: await request.text(), redirect });
    return options.respond?.() ?? new Response("ok", { status: options.status ?? 200 });
  });
  return received;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

async function createWebhook(admin: Account, types = ["*"]) {
  const answer = await admin.call("/api/webhooks", { json: { url: PUBLIC, types } });
  expect(answer.status).toBe(201);
  return answer.json as { id: string; secret: string };
}

function deliverer(on: Bench, target = POLICY): WebhookDeliverer {
  return new WebhookDeliverer({
    database: on.database,
    scope: on.scope,
    vault: new Vault(TEST_SECRETS.DATA_KEY),
    target,
    backoffSeconds: 5,
  });
}

/** One attempt at each pending delivery of the endpoint. */
async function deliver(on: Bench, webhookId: string, eventId: string) {
  const consumer = `webhook:${webhookId}`;
  const handlers = dispatcher(on, { [consumer]: deliverer(on) });
  return await handOver([{ eventId, consumer }], (batch) => handlers.dispatch(batch));
}

test("an endpoint is created with a secret that is shown once, and is stored encrypted", async () => {
  internet();
  const admin = await createAdmin();
  const created = await admin.call("/api/webhooks", { json: { url: PUBLIC, types: ["user.created"] } });
  expect(created.json).toEqual({
    id: expect.any(String),
    url: PUBLIC,
    types: ["user.created"],
    isEnabled: true,
    createdAt: expect.any(String),
    secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
  });
  const { secret, ...shown } = created.json;
  expect((await admin.call(`/api/webhooks/${shown.id}`)).json).toEqual(shown);
  expect((await admin.call("/api/webhooks")).json).toEqual({ data: [shown], nextCursor: null });
  const [row] = await rowsOf<{ secret: string }>("select secret from webhook_endpoints");
  expect(row?.secret).not.toContain(secret.slice(6, 20));
  expect(await rowsOf("select action, subject from audit_log where action like 'webhook.%'")).toEqual([
    { action: "webhook.create", subject: `webhook:${shown.id}` },
  ]);
});

test("webhooks are an administrator's", async () => {
  internet();
  const [user, admin] = [await createAccount(), await createAdmin()];
  const { id } = await createWebhook(admin);
  const calls: [string, string, unknown?][] = [
    ["POST", "/api/webhooks", { url: PUBLIC, types: ["*"] }],
    ["GET", "/api/webhooks"],
    ["GET", `/api/webhooks/${id}`],
    ["PATCH", `/api/webhooks/${id}`, { isEnabled: false }],
    ["DELETE", `/api/webhooks/${id}`],
    ["POST", `/api/webhooks/${id}/rotate-secret`],
    ["POST", `/api/webhooks/${id}/test`],
    ["GET", `/api/webhooks/${id}/deliveries`],
  ];
  for (const [method, path, json] of calls) {
    const options = json === undefined ? { method } : { method, json };
    expect((await user.call(path, options)).status).toBe(403);
    expect((await call(path, options)).status).toBe(401);
  }
  expect(await rowsOf("select * from webhook_endpoints")).toHaveLength(1);
});

test.each([
  ["http", "http://hooks.example.com/"],
  ["another port", "https://hooks.example.com:8443/"],
  ["credentials", "https://user:secret@hooks.example.com/"],
  ["a loopback address", "https://127.0.0.1/"],
  ["a loopback address in another notation", "https://0x7f.1/"],
  ["a loopback address as a number", "https://2130706433/"],
  ["the metadata service", "https://169.254.169.254/latest/meta-data"],
  ["a private IPv6 address", "https://[fd00::1]/"],
  ["an IPv4 address in IPv6", "https://[::ffff:10.0.0.1]/"],
  ["no URL", "hooks.example.com"],
])("a webhook to %s is refused", async (_, url) => {
  internet();
  const admin = await createAdmin();
  const { status, json } = await admin.call("/api/webhooks", { json: { url, types: ["*"] } });
  expect({ status, pointer: json.errors[0].pointer }).toEqual({ status: 400, pointer: "#/url" });
  expect(await rowsOf("select * from webhook_endpoints")).toEqual([]);
});

test("a name that resolves to a private address is refused, even beside a public one", async () => {
  internet({ addresses: ["93.184.215.14", "10.0.0.1"] });
  const admin = await createAdmin();
  expect((await admin.call("/api/webhooks", { json: { url: PUBLIC, types: ["*"] } })).status).toBe(400);
});

test("a webhook may lead neither to this service nor to a denied domain, when it is made and when it is changed", async () => {
  internet();
  const admin = await createAdmin();
  const { id } = await createWebhook(admin);
  const vars = { PUBLIC_URL: "https://api.example.com:8443/v1", WEBHOOK_DENIED_DOMAINS: "Example.NET." };
  const app = createApp(wire);
  const send = async (method: string, path: string, json: object) => {
    const headers = { Authorization: `Bearer ${admin.token}`, "Content-Type": "application/json" };
    const request = new Request(`https://api.example.com${path}`, {
      ...{ method, headers, body: JSON.stringify(json) },
    });
    const response = await app.fetch(request, { ...env, ...vars }, createExecutionContext());
    return { status: response.status, json: JSON.parse(await response.text()) };
  };
  const fault = {
    ...{ pointer: "#/url", code: "invalid_url" },
    message: "Its host belongs to this service or is denied by its operator.",
  };
  for (const url of [
    "https://api.example.com/",
    "https://hooks.api.example.com/",
    "https://www.example.net/",
  ]) {
    const created = await send("POST", "/api/webhooks", { url, types: ["*"] });
    const changed = await send("PATCH", `/api/webhooks/${id}`, { url });
    for (const { status, json } of [created, changed]) {
      expect([status, json.errors]).toEqual([400, [expect.objectContaining(fault)]]);
    }
  }
  expect((await send("POST", "/api/webhooks", { url: "https://example.com/", types: ["*"] })).status).toBe(
    201,
  );
  expect(await rowsOf("select url from webhook_endpoints order by id")).toEqual([
    { url: PUBLIC },
    { url: "https://example.com/" },
  ]);
});

test("a delivery to a host that was denied meanwhile is not made", async () => {
  const received = internet();
  const { id } = await createWebhook(await createAdmin());
  const on = bench();
  const eventId = await commitEvent(on);
  const consumer = `webhook:${id}`;
  const strict = deliverer(on, { ...POLICY, deniedDomains: ["example.com"] });
  await handOver([{ eventId, consumer }], (batch) => dispatcher(on, { [consumer]: strict }).dispatch(batch));
  expect(received).toEqual([]);
  expect(await rowsOf("select error from webhook_attempts")).toEqual([
    { error: "the URL may not be called" },
  ]);
});

test("an unknown event type is refused with a pointer to it", async () => {
  internet();
  const admin = await createAdmin();
  const { json } = await admin.call("/api/webhooks", {
    json: { url: PUBLIC, types: ["*", "user.exploded"] },
  });
  expect(json.errors[0].pointer).toBe("#/types/1");
});

test("a delivery is a CloudEvent that the SDK reads, under a signature that Standard Webhooks verifies", async () => {
  const received = internet();
  const { id, secret } = await createWebhook(await createAdmin());
  // The library compares with the real time, so the bench keeps it.
  const on = bench();
  on.clock.now = Date.now();
  const eventId = await commitEvent(on, "thing.changed", { name: "Zoë" });
  await deliver(on, id, eventId);
  const [delivery] = received;
  const headers = Object.fromEntries(delivery?.headers ?? []);
  const body = delivery?.body ?? "";
  expect(delivery).toMatchObject({ url: PUBLIC, redirect: "manual" });
  expect(headers["webhook-id"]).toBe(eventId);
  expect(new Webhook(secret).verify(body, headers)).toMatchObject({ id: eventId, data: { name: "Zoë" } });
  expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
  const event = HTTP.toEvent({ headers, body });
  expect(event).toBeInstanceOf(CloudEvent);
  expect(event).toMatchObject({ id: eventId, type: "thing.changed" });
  // The receiver's spans belong to the trace of the request that caused the event.
  expect(headers.traceparent).toMatch(
    new RegExp(`^00-${on.scope.traceparent.slice(3, 35)}-[0-9a-f]{16}-01$`),
  );
  expect(headers.traceparent).not.toBe(on.scope.traceparent);
});

test("after a rotation the old secret and the new one verify for a day, and then only the new one", async () => {
  const received = internet();
  const admin = await createAdmin();
  const { id, secret: old } = await createWebhook(admin);
  const { secret: fresh } = (await admin.call(`/api/webhooks/${id}/rotate-secret`, { method: "POST" })).json;
  expect(fresh).not.toBe(old);
  const on = bench();
  on.clock.now = Date.now();
  await deliver(on, id, await commitEvent(on));
  const both = received[0];
  const headers = Object.fromEntries(both?.headers ?? []);
  for (const secret of [old, fresh]) {
    expect(() => new Webhook(secret).verify(both?.body ?? "", headers)).not.toThrow();
  }
  on.clock.advance(24 * 3600 + 1);
  await deliver(on, id, await commitEvent(on));
  expect(received[1]?.headers.get("webhook-signature")?.split(" ")).toHaveLength(1);
});

test("an endpoint gets the types it asked for, and none after it was switched off or deleted", async () => {
  internet();
  const admin = await createAdmin();
  const { id } = await createWebhook(admin, ["user.created"]);
  const on = bench();
  const deliveries = async () =>
    (
      await rowsOf<{ n: number }>(
        "select count(*) as n from event_deliveries where consumer = ?",
        `webhook:${id}`,
      )
    )[0]?.n;
  await commitEvent(on, "user.created");
  await commitEvent(on, "user.deleted");
  expect(await deliveries()).toBe(1);
  await admin.call(`/api/webhooks/${id}`, { method: "PATCH", json: { types: ["user.deleted"] } });
  await commitEvent(on, "user.deleted");
  expect(await deliveries()).toBe(2);
  await admin.call(`/api/webhooks/${id}`, { method: "PATCH", json: { isEnabled: false } });
  await commitEvent(on, "user.deleted");
  expect(await deliveries()).toBe(2);
  await admin.call(`/api/webhooks/${id}`, { method: "PATCH", json: { isEnabled: true } });
  await commitEvent(on, "user.deleted");
  expect(await deliveries()).toBe(3);
  expect((await admin.call(`/api/webhooks/${id}`, { method: "DELETE" })).status).toBe(204);
  await commitEvent(on, "user.deleted");
  expect(await deliveries()).toBe(0);
  expect((await admin.call(`/api/webhooks/${id}`)).status).toBe(404);
});

test("a failed delivery is retried and logged, a redirect is a failure that is not followed", async () => {
  const received = internet({
    respond: async () => new Response(null, { status: 302, headers: { location: "https://10.0.0.1/" } }),
  });
  const admin = await createAdmin();
  const { id } = await createWebhook(admin);
  const on = bench();
  const eventId = await commitEvent(on);
  const { retried } = await deliver(on, id, eventId);
  expect(retried).toHaveLength(1);
  expect(received).toHaveLength(1);
  internet();
  await deliver(on, id, eventId);
  const { json } = await admin.call(`/api/webhooks/${id}/deliveries`);
  expect(json.data).toMatchObject([
    { eventId, type: "thing.made", attempt: 2, outcome: "delivered", statusCode: 200, error: null },
    {
      eventId,
      attempt: 1,
      outcome: "failed",
      statusCode: 302,
      error: "answered 302, and redirects are not followed",
    },
  ]);
});

test("an endpoint has ten seconds; what went wrong is told in our words, which hold no address", async () => {
  const deadlines = vi.spyOn(AbortSignal, "timeout");
  const admin = await createAdmin();
  internet();
  const { id } = await createWebhook(admin);
  const on = bench();
  const eventId = await commitEvent(on);
  const failures = [new DOMException("10.1.2.3 is slow", "TimeoutError"), new TypeError("10.1.2.3 refused")];
  for (const failure of failures) {
    internet({ respond: () => Promise.reject(failure) });
    deadlines.mockClear();
    expect((await deliver(on, id, eventId)).retried).toHaveLength(1);
    expect(deadlines.mock.calls).toEqual([[10_000]]);
  }
  const { json } = await admin.call(`/api/webhooks/${id}/deliveries`);
  expect(json.data.map(({ statusCode, error }: Record<string, unknown>) => [statusCode, error])).toEqual([
    [null, "could not be reached"],
    [null, "did not answer in time"],
  ]);
  const logged = on.scope.lines.filter(({ event }) => event === "webhook.call_failed");
  expect(logged.map(({ webhookId, error }) => [webhookId, error])).toEqual([
    [id, "TimeoutError"],
    [id, "TypeError"],
  ]);
  deadlines.mockRestore();
});

test("a delivery to a name that has moved to a private address meanwhile is not made", async () => {
  const received = internet();
  const { id } = await createWebhook(await createAdmin());
  const on = bench();
  const eventId = await commitEvent(on);
  const consumer = `webhook:${id}`;
  const moved = deliverer(on, { ...POLICY, resolve: async () => ["10.0.0.1"] });
  await handOver([{ eventId, consumer }], (batch) => dispatcher(on, { [consumer]: moved }).dispatch(batch));
  expect(received).toEqual([]);
  expect(await rowsOf("select error from webhook_attempts")).toEqual([
    { error: "the URL may not be called" },
  ]);
});

test("an endpoint that answers 410 is switched off, and its delivery is a dead letter", async () => {
  internet({ status: 410 });
  const admin = await createAdmin();
  const { id } = await createWebhook(admin);
  const on = bench();
  await deliver(on, id, await commitEvent(on));
  expect((await admin.call(`/api/webhooks/${id}`)).json.isEnabled).toBe(false);
  expect(await rowsOf("select * from event_subscriptions")).toEqual([]);
  expect(await rowsOf("select last_error from dead_letters")).toEqual([
    { last_error: "AppError: answered 410" },
  ]);
  expect((await admin.call(`/api/webhooks/${id}/test`, { method: "POST" })).status).toBe(409);
});

test("an endpoint that is switched off while a change of it is under way stays off, and so does its subscription", async () => {
  internet({ status: 410 });
  const { id } = await createWebhook(await createAdmin());
  const on = bench();
  const eventId = await commitEvent(on);
  const key: CallKey = {
    ...NO_KEY,
    async open(database, reads) {
      const opened = await NO_KEY.open(database, reads);
      await deliver(on, id, eventId);
      return opened;
    },
  };
  const { webhooks } = wire(env, configOf(env), on.scope);
  const patched = await webhooks.patch(callBy(ADMIN, { key }), id, { types: ["user.deleted"] });
  expect(granted(patched)).toMatchObject({ types: ["user.deleted"], isEnabled: false });
  expect(await rowsOf("select * from event_subscriptions")).toEqual([]);
  expect(await rowsOf("select is_enabled from webhook_endpoints")).toEqual([{ is_enabled: 0 }]);
});

test("an answer of 410 from an address that was changed meanwhile switches nothing off", async () => {
  const admin = await createAdmin();
  internet();
  const { id } = await createWebhook(admin);
  const json = { url: `${PUBLIC}/new` };
  const respond = async () => {
    await admin.call(`/api/webhooks/${id}`, { method: "PATCH", json });
    return new Response(null, { status: 410 });
  };
  internet({ respond });
  const on = bench();
  await deliver(on, id, await commitEvent(on));
  expect((await admin.call(`/api/webhooks/${id}`)).json).toMatchObject({ ...json, isEnabled: true });
  expect(await rowsOf("select type from event_subscriptions")).toEqual([{ type: "*" }]);
  expect(on.scope.lines.map(({ event }) => event)).not.toContain("webhook.switched_off");
});

test("an endpoint that has taken nothing for five days is switched off; one success in between keeps it on", async () => {
  internet({ status: 500 });
  const admin = await createAdmin();
  const { id } = await createWebhook(admin);
  const on = bench();
  const isEnabled = async () => (await admin.call(`/api/webhooks/${id}`)).json.isEnabled;
  await deliver(on, id, await commitEvent(on));
  on.clock.advance(4 * 86_400);
  internet({ status: 200 });
  await deliver(on, id, await commitEvent(on));
  internet({ status: 500 });
  on.clock.advance(86_401);
  await deliver(on, id, await commitEvent(on));
  expect(await isEnabled()).toBe(true);
  on.clock.advance(5 * 86_400 + 1);
  await deliver(on, id, await commitEvent(on));
  expect(await isEnabled()).toBe(false);
});

test("retries go on for a day at least, at the shortest jitter", () => {
  const { retry } = deliverer(bench());
  let shortest = 0;
  for (let attempts = 1; attempts < retry.attemptsMax; attempts += 1) {
    shortest += Math.min(retry.backoffSeconds * 2 ** (attempts - 1), retry.backoffMaxSeconds) / 2;
  }
  expect(shortest).toBeGreaterThan(24 * 3600);
});

test("a test is sent to the one endpoint, over the queue", async () => {
  internet();
  const admin = await createAdmin();
  const { id } = await createWebhook(admin, ["user.created"]);
  await createWebhook(admin);
  const { status, json } = await admin.call(`/api/webhooks/${id}/test`, { method: "POST" });
  expect(status).toBe(202);
  expect(await rowsOf("select consumer from event_deliveries where event_id = ?", json.eventId)).toEqual([
    { consumer: `webhook:${id}` },
  ]);
});
