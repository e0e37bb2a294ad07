/** Answers are what the document says, whole: no member more, none less, no status or code that is not in it. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { METRICS_EXAMPLES } from "../../contract/examples";
import { OPERATIONS } from "../../contract/openapi";
import { createAccount, createAdmin, createLoggedInAccount, freshEmail, PASSWORD } from "../support/accounts";
import { freshAddress } from "../support/client";
import { judged } from "../support/judge";

const MISSING = "019a9c1e-0000-7000-8000-000000000000";

test("users, from sign-up to deletion", async () => {
  const from = freshAddress();
  const email = freshEmail();
  await judged("signUp", "/api/users", { from, json: { name: "Ada", email, profile: { bio: "Hello" } } });
  await judged("signUp", "/api/users", { from, json: { name: "Ada", email } });
  await judged("signUp", "/api/users", { from, json: { name: "A", email: "no", more: 1 } });
  await judged("signUp", "/api/users", { from, body: "{", headers: { "Content-Type": "application/json" } });
  await judged("signUp", "/api/users", { from, body: "a=b", headers: { "Content-Type": "text/plain" } });
  const admin = await createAdmin();
  const ada = await createAccount();
  const as = { token: ada.token, from: ada.from };
  const path = `/api/users/${ada.id}`;
  await judged("listUsers", "/api/users?limit=1&sort=name", { token: admin.token, from });
  await judged("listUsers", "/api/users", as);
  await judged("getMe", "/api/users/me", as);
  await judged("getMe", "/api/users/me", { from });
  await judged("getUser", path, { ...as, headers: { "If-None-Match": '"1"' } });
  await judged("getUser", `/api/users/${MISSING}`, as);
  await judged("getUser", path, { token: "no.such.token", from });
  await judged("replaceUser", path, { ...as, json: { name: "Ada King", email: ada.email } });
  await judged("patchUser", path, { ...as, json: { age: 36 }, headers: { "If-Match": '"1"' } });
  await judged("patchUser", path, { ...as, json: { age: 36 }, headers: { "Idempotency-Key": "a" } });
  await judged("patchUser", path, { ...as, json: { age: 37 }, headers: { "Idempotency-Key": "a" } });
  await judged("patchUser", path, { ...as, json: { role: "admin" } });
  expect((await judged("deleteUser", path, as)).status).toBe(204);
});

test("sessions and passwords", async () => {
  const ada = await createLoggedInAccount();
  const as = { token: ada.token, from: ada.from };
  const logIn = await judged("logIn", "/api/auth/login", {
    from: ada.from,
    json: { email: ada.email, password: PASSWORD },
  });
  await judged("logIn", "/api/auth/login", { json: { email: ada.email, password: "wrong" } });
  await judged("refreshSession", "/api/auth/refresh", { json: { refreshToken: logIn.json.refreshToken } });
  await judged("refreshSession", "/api/auth/refresh", { json: { refreshToken: "none" } });
  const sessions = await judged("listSessions", "/api/auth/sessions", as);
  const other = sessions.json.data.find(({ isCurrent }: { isCurrent: boolean }) => !isCurrent);
  await judged("endSession", `/api/auth/sessions/${other.id}`, as);
  await judged("forgotPassword", "/api/auth/password/forgot", { json: { email: ada.email } });
  await judged("resetPassword", "/api/auth/password/reset", { json: { token: "none", password: PASSWORD } });
  await judged("changePassword", "/api/auth/password/change", {
    ...as,
    json: { currentPassword: "wrong", newPassword: `${PASSWORD} two` },
  });
  await judged("verifyEmail", "/api/auth/email/verify", { json: { token: "none" } });
  await judged("resendVerification", "/api/auth/email/resend", as);
  await judged("logOutEverywhere", "/api/auth/logout-all", as);
  await judged("logOut", "/api/auth/logout", as);
});

test("products and orders", async () => {
  const admin = await createAdmin();
  const ada = await createAccount();
  const as = { token: ada.token, from: ada.from };
  const asAdmin = { token: admin.token, from: admin.from };
  const json = { sku: "TEA", name: "Tea", priceMinor: 100, currency: "EUR", stock: 3 };
  const { id: productId } = (await judged("createProduct", "/api/products", { ...asAdmin, json })).json;
  await judged("createProduct", "/api/products", { ...asAdmin, json });
  await judged("createProduct", "/api/products", { ...as, json });
  await judged("listProducts", "/api/products?limit=1", as);
  await judged("getProduct", `/api/products/${productId}`, as);
  await judged("patchProduct", `/api/products/${productId}`, { ...asAdmin, json: { stock: 4 } });
  const items = [{ productId, quantity: 2 }];
  const placed = await judged("placeOrder", "/api/orders", { ...as, json: { items } });
  const path = `/api/orders/${placed.json.id}`;
  const short = { items: [{ productId, quantity: 900 }] };
  const refused = await judged("placeOrder", "/api/orders", { ...as, json: short });
  expect(refused.json.code).toBe("out_of_stock");
  await judged("listOrders", "/api/orders", as);
  await judged("listOrders", `/api/orders?userId=${admin.id}`, as);
  await judged("getOrder", path, as);
  await judged("listOrderHistory", `${path}/history`, as);
  await judged("changeOrderStatus", path, { ...as, json: { status: "paid" } });
  await judged("changeOrderStatus", path, { ...as, json: { status: "cancelled" } });
  await judged("changeOrderStatus", path, { ...asAdmin, json: { status: "paid" } });
  await judged("deleteProduct", `/api/products/${productId}`, asAdmin);
});

test("what administrators see", async () => {
  const admin = await createAdmin();
  const as = { token: admin.token, from: admin.from };
  const events = await judged("listEvents", "/api/events?limit=1", as);
  await judged("listEvents", "/api/events", { token: env.EVENTS_TOKEN });
  await judged("getEvent", `/api/events/${events.json.data[0].id}`, as);
  await judged("listDeadLetters", "/api/events/dead-letters", as);
  await judged("replayDeadLetter", `/api/events/dead-letters/${MISSING}/replay`, as);
  await judged("discardDeadLetter", `/api/events/dead-letters/${MISSING}/discard`, {
    ...as,
    json: { reason: "gone" },
  });
  await judged("replayDeadLetters", "/api/events/replay", { ...as, json: {} });
  await judged("listWebhooks", "/api/webhooks", as);
  await judged("getWebhook", `/api/webhooks/${MISSING}`, as);
  await judged("listWebhookDeliveries", `/api/webhooks/${MISSING}/deliveries`, as);
  await judged("rotateWebhookSecret", `/api/webhooks/${MISSING}/rotate-secret`, as);
  await judged("testWebhook", `/api/webhooks/${MISSING}/test`, as);
  await judged("patchWebhook", `/api/webhooks/${MISSING}`, { ...as, json: { isEnabled: false } });
  await judged("deleteWebhook", `/api/webhooks/${MISSING}`, as);
  await judged("createWebhook", "/api/webhooks", { ...as, json: { url: "http://127.0.0.1", types: ["*"] } });
  await judged("getLimit", `/api/limits/user:${admin.id}`, as);
  await judged("setLimit", "/api/limits/plan:partner", { ...as, json: { limit: 500 } });
  await judged("getLimit", "/api/limits/plan:partner", as);
  await judged("setLimit", "/api/limits/nobody", { ...as, json: { limit: 500 } });
  await judged("clearLimit", "/api/limits/plan:partner", as);
  await judged("listAuditEntries", "/api/audit", as);
  await judged("countSignups", "/api/analytics/signups", as);
  await judged("countSignups", "/api/analytics/signups?from=2026-12-01&to=2026-01-01", as);
});

test("what is open to everybody", async () => {
  const open = OPERATIONS.filter(({ tag, access }) => tag === "Operations" && access === "anyone");
  for (const { id, path, pathParameters = {} } of open) {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => pathParameters[name]?.example ?? "");
    expect((await judged(id, filled)).status, filled).toBe(200);
  }
  await judged("explainProblem", "/problems/nothing");
});

test("metrics, in both formats", async () => {
  const as = { token: env.METRICS_TOKEN };
  const accepts = ["*/*", "application/openmetrics-text"];
  const seen = [];
  for (const Accept of accepts) {
    const answer = await judged("getMetrics", "/metrics", { ...as, headers: { Accept } });
    seen.push(answer.headers.get("content-type")?.replace(/;.*/, ""));
  }
  expect(seen).toEqual(Object.keys(METRICS_EXAMPLES));
  await judged("getMetrics", "/metrics");
});
