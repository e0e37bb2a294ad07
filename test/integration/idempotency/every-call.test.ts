/** Every unsafe use case of the table: called twice under one key, or named here with the reason why it records nothing. */
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { USE_CASES } from "../../../src/gateway/use-cases";
import { newId } from "../../../src/platform/clock";
import {
  type Account,
  createAccount,
  createAdmin,
  createLoggedInAccount,
  freshEmail,
  PASSWORD,
} from "../../support/accounts";
import { storeDeadLetter, storeProduct } from "../../support/call-budget/stage";
import type { Call } from "../../support/client";
import { countOf } from "../../support/orders";

/** Their answers are secrets, their tokens work once, or a repetition sets what is set. */
const UNRECORDED = new Map([
  ["auth.logIn", "answers with tokens"],
  ["auth.refresh", "answers with tokens"],
  ["auth.logOut", "ends the token that a replay would need"],
  ["auth.logOutAll", "ends the token that a replay would need"],
  ["recovery.resetPassword", "takes a one-time token"],
  ["address-proof.verifyEmail", "takes a one-time token"],
  ["limits.set", "sets what it says, in the client's object: a repetition sets the same"],
  ["limits.clear", "takes away what a repetition finds gone"],
]);

interface Scene {
  readonly caller: Account;
  readonly path: string;
  readonly call: Call;
}

const userScene = async (method: string, json?: object): Promise<Scene> => {
  const { id } = await createAccount();
  return { caller: await createAdmin(), path: `/api/users/${id}`, call: { method, json } };
};

async function orderScene(): Promise<Scene> {
  const caller = await createAccount();
  const items = [{ productId: await storeProduct(), quantity: 1 }];
  return { caller, path: "/api/orders", call: { json: { items } } };
}

async function webhookScene(suffix: string, call: Call): Promise<Scene> {
  const caller = await createAdmin();
  const json = { url: "https://hooks.example.com/a", types: ["*"] };
  const { id } = (await caller.call("/api/webhooks", { json })).json;
  return { caller, path: `/api/webhooks/${id}${suffix}`, call };
}

async function letterScene(action: string, json?: object): Promise<Scene> {
  const { id } = await storeDeadLetter();
  const call = { method: "POST", json };
  return { caller: await createAdmin(), path: `/api/events/dead-letters/${id}/${action}`, call };
}

const SCENES: Readonly<Record<string, () => Promise<Scene>>> = {
  "users.signUp": async () => ({
    caller: await createAccount(),
    path: "/api/users",
    call: { json: { name: "Ada Lovelace", email: freshEmail() } },
  }),
  "users.replace": () => userScene("PUT", { name: "Ada King", email: freshEmail() }),
  "users.patch": () => userScene("PATCH", { name: "Ada King" }),
  "users.delete": () => userScene("DELETE"),
  "products.create": async () => ({
    caller: await createAdmin(),
    path: "/api/products",
    call: { json: { sku: "a", name: "A", priceMinor: 1, currency: "EUR", stock: 1 } },
  }),
  "products.patch": async () => ({
    caller: await createAdmin(),
    path: `/api/products/${await storeProduct()}`,
    call: { method: "PATCH", json: { stock: 7 } },
  }),
  "products.delete": async () => ({
    caller: await createAdmin(),
    path: `/api/products/${await storeProduct()}`,
    call: { method: "DELETE" },
  }),
  "orders.place": orderScene,
  "orders.changeStatus": async () => {
    const { caller, path, call } = await orderScene();
    const { id } = (await caller.call(path, call)).json;
    return { caller, path: `/api/orders/${id}`, call: { method: "PATCH", json: { status: "cancelled" } } };
  },
  "auth.endSession": async () => {
    const caller = await createLoggedInAccount();
    await caller.call("/api/auth/login", { json: { email: caller.email, password: PASSWORD } });
    const { data } = (await caller.call("/api/auth/sessions")).json;
    const { id } = data.find(({ isCurrent }: { isCurrent: boolean }) => !isCurrent);
    return { caller, path: `/api/auth/sessions/${id}`, call: { method: "DELETE" } };
  },
  "recovery.forgotPassword": async () => {
    const caller = await createAccount();
    return { caller, path: "/api/auth/password/forgot", call: { json: { email: caller.email } } };
  },
  "recovery.changePassword": async () => ({
    caller: await createLoggedInAccount(),
    path: "/api/auth/password/change",
    call: { json: { currentPassword: PASSWORD, newPassword: "another long passphrase" } },
  }),
  "address-proof.resendVerification": async () => ({
    caller: await createAccount(),
    path: "/api/auth/email/resend",
    call: { method: "POST" },
  }),
  "webhooks.create": async () => ({
    caller: await createAdmin(),
    path: "/api/webhooks",
    call: { json: { url: "https://hooks.example.com/a", types: ["*"] } },
  }),
  "webhooks.patch": () => webhookScene("", { method: "PATCH", json: { isEnabled: false } }),
  "webhooks.remove": () => webhookScene("", { method: "DELETE" }),
  "webhooks.rotateSecret": () => webhookScene("/rotate-secret", { method: "POST" }),
  "webhooks.sendTest": () => webhookScene("/test", { method: "POST" }),
  "events.replayMany": async () => {
    await storeDeadLetter();
    return { caller: await createAdmin(), path: "/api/events/replay", call: { json: {} } };
  },
  "events.replay": () => letterScene("replay"),
  "events.discard": () => letterScene("discard", { reason: "Nobody waits for it." }),
};

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Name look-ups of webhook targets. */
function stubNames() {
  vi.stubGlobal("fetch", async () =>
    Response.json({ Status: 0, Answer: [{ type: 1, data: "93.184.215.14" }] }),
  );
}

/** All that a repetition must leave alone; sign-in traces and the records themselves aside. */
async function effects(): Promise<Record<string, unknown>> {
  const tables = [
    "users",
    "products",
    "orders",
    "sessions",
    "outbox_events",
    "audit_log",
    "webhook_endpoints",
  ];
  const counts = await Promise.all(tables.map((table) => countOf(table)));
  return Object.fromEntries(tables.map((table, index) => [table, counts[index]]));
}

test("every unsafe use case that takes a key is tried here, and every other is said to record nothing", () => {
  const unsafe = Object.entries(USE_CASES).filter(([, { isSafe }]) => !isSafe);
  const namesOf = (takesKey: boolean) =>
    unsafe.filter(([, line]) => line.takesKey === takesKey).map(([name]) => name);
  expect(namesOf(true).sort()).toEqual(Object.keys(SCENES).sort());
  expect(namesOf(false).sort()).toEqual([...UNRECORDED.keys()].sort());
});

test.each(Object.keys(SCENES))(
  "%s takes effect once under a key, and its replay is the same answer",
  async (name) => {
    stubNames();
    const { caller, path, call } = (await SCENES[name]?.()) ?? expect.fail("no scene");
    const send = () => caller.call(path, { ...call, headers: { "Idempotency-Key": `key-${name.length}` } });
    const first = await send();
    expect(first.text === "" ? first.status : first.json).not.toHaveProperty("code");
    expect(first.status).toBeLessThan(300);
    const after = await effects();
    const second = await send();
    expect(second.status).toBe(first.status);
    expect(second.text).toBe(first.text);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    for (const header of ["etag", "location", "content-type"])
      expect(second.headers.get(header)).toBe(first.headers.get(header));
    expect(await effects()).toEqual(after);
    // No answer lies there in the clear, and no claim stays behind.
    const stored = await env.DB.prepare("select * from idempotency_records").all();
    if (first.text !== "") expect(JSON.stringify(stored.results)).not.toContain(first.text.slice(1, 40));
    expect(await countOf("idempotency_records", "state = 'claimed'")).toBe(0);
  },
);

test("login and refresh record nothing, key or no key", async () => {
  const user = await createLoggedInAccount();
  const headers = { "Idempotency-Key": newId() };
  const json = { email: user.email, password: PASSWORD };
  const [first, second] = [
    await user.call("/api/auth/login", { json, headers }),
    await user.call("/api/auth/login", { json, headers }),
  ];
  expect(second.json.refreshToken).not.toBe(first.json.refreshToken);
  expect(second.headers.get("idempotency-replayed")).toBeNull();
  await user.call("/api/auth/refresh", { json: { refreshToken: first.json.refreshToken }, headers });
  expect(await countOf("idempotency_records")).toBe(0);
});
