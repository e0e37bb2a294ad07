/** Every operation of the document is asked at least once as it is meant, and once as it is not. */
import { randomBytes } from "node:crypto";
import { clientAt, expectStatus } from "../demo-client.mjs";

const MISSING = "019a9c1e-0000-7000-8000-000000000000";
const PASSWORD = "correct horse battery staple";

/**
 * @typedef {object} Stage
 * @property {string} url
 * @property {object} document OpenAPI
 * @property {string} receiver a URL that answers webhooks
 * @property {(email: string) => Promise<void>} promote makes a user an administrator
 * @property {(name: string, page: string, known?: string) => Promise<string>} mailedToken returns the token of the
 *   newest mail to a user of that name that leads to the page; it differs from the token that is known
 * @property {string} metricsToken
 *
 * @param {Stage} stage
 */
export async function walkOperations(stage) {
  const run = randomBytes(4).toString("hex");
  const people = { count: 0 };
  const on = {
    ...stage,
    run,
    async newcomer(name) {
      people.count += 1;
      const email = `${name.toLowerCase()}+${run}@judge.example`;
      const ip = `2001:db8:${run.slice(0, 4)}:${(Number.parseInt(run.slice(4), 16) ^ people.count).toString(16)}::1`;
      const call = clientAt(stage.url, ip);
      const json = { name: `${name} ${run}`, email, password: PASSWORD };
      const { body } = expectStatus(await call("POST", "/api/users", { json }), 201);
      const person = { id: body.id, name: json.name, email, call };
      await logIn(person);
      return person;
    },
  };
  await askStrangely(on);
  const admin = await on.newcomer("Grace");
  await stage.promote(admin.email);
  await logIn(admin);
  await walkUsers(on, admin);
  await walkAuth(on);
  await walkOrders(on, admin);
  await walkEvents(admin);
  await walkWebhooks(on, admin);
  await walkAdministration(admin);
  await ask({ ...admin, token: stage.metricsToken }, 200, "GET", "/metrics");
}

async function logIn(person, password = PASSWORD) {
  const json = { email: person.email, password };
  const { body } = expectStatus(await person.call("POST", "/api/auth/login", { json }), 200);
  person.token = body.accessToken;
  person.refreshToken = body.refreshToken;
}

/** As a person, one call after the other, each with the status that it must have. */
async function ask(person, status, method, path, options = {}) {
  return expectStatus(await person.call(method, path, { token: person.token, ...options }), status);
}

/** Calls without a token, with a body that is not JSON, with unknown ids: the document describes every answer. */
async function askStrangely({ url, document, run }) {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const filled = path.replace(/\{(\w+)\}/g, (_, name) => exampleOf(operation, name));
      // One /64 for each, so that no budget stands in the way.
      const number = randomBytes(2).toString("hex");
      const call = clientAt(url, `2001:db8:${run.slice(0, 4)}:${number}::2`);
      await call(method.toUpperCase(), filled);
      if (operation.requestBody !== undefined) {
        await call(method.toUpperCase(), filled, { json: { unknown: true } });
        await call(method.toUpperCase(), filled, { json: "", headers: { "Content-Type": "text/plain" } });
      }
    }
  }
}

function exampleOf({ parameters }, name) {
  return parameters.find((it) => it.in === "path" && it.name === name)?.example ?? MISSING;
}

async function walkUsers(on, admin) {
  const ada = await on.newcomer("Ada");
  const path = `/api/users/${ada.id}`;
  await ask(ada, 409, "POST", "/api/users", { json: { name: "Ada", email: ada.email } });
  await ask(ada, 200, "GET", "/api/users/me");
  await ask(ada, 304, "GET", "/api/users/me", { headers: { "If-None-Match": '"1"' } });
  await ask(ada, 200, "GET", path);
  await ask(ada, 404, "GET", `/api/users/${admin.id}`);
  await ask(ada, 200, "PUT", path, { json: { name: "Ada King", email: ada.email, age: 36 } });
  await ask(ada, 412, "PATCH", path, { json: { age: 37 }, headers: { "If-Match": '"1"' } });
  const keyed = { json: { age: 37 }, headers: { "Idempotency-Key": on.run } };
  await ask(ada, 200, "PATCH", path, keyed);
  await ask(ada, 200, "PATCH", path, keyed);
  await ask(ada, 422, "PATCH", path, { ...keyed, json: { age: 38 } });
  await ask(ada, 403, "PATCH", path, { json: { role: "admin" } });
  await ask(ada, 403, "GET", "/api/users");
  await ask(admin, 200, "GET", "/api/users?limit=1&sort=-name");
  await ask(admin, 400, "GET", "/api/users?limit=0");
  await ask(ada, 204, "DELETE", path);
}

async function walkAuth(on) {
  const bob = await on.newcomer("Bob");
  const json = { refreshToken: bob.refreshToken };
  const { body } = await ask(bob, 200, "POST", "/api/auth/refresh", { json, token: undefined });
  bob.token = body.accessToken;
  const welcomeToken = await on.mailedToken(bob.name, "verify-email");
  await ask(bob, 202, "POST", "/api/auth/email/resend");
  const token = await on.mailedToken(bob.name, "verify-email", welcomeToken);
  await ask(bob, 204, "POST", "/api/auth/email/verify", { json: { token } });
  await ask(bob, 400, "POST", "/api/auth/email/verify", { json: { token } });
  await ask(bob, 401, "POST", "/api/auth/login", { json: { email: bob.email, password: "wrong" } });
  const first = bob.token;
  await logIn(bob);
  const sessions = await ask(bob, 200, "GET", "/api/auth/sessions");
  const other = sessions.body.data.find(({ isCurrent }) => !isCurrent);
  await ask(bob, 204, "DELETE", `/api/auth/sessions/${other.id}`);
  await ask(bob, 401, "GET", "/api/users/me", { token: first });
  const change = { currentPassword: PASSWORD, newPassword: `${PASSWORD} two` };
  await ask(bob, 204, "POST", "/api/auth/password/change", { json: change });
  await ask(bob, 202, "POST", "/api/auth/password/forgot", { json: { email: bob.email } });
  const reset = await on.mailedToken(bob.name, "reset-password");
  await ask(bob, 204, "POST", "/api/auth/password/reset", { json: { token: reset, password: PASSWORD } });
  await logIn(bob);
  await ask(bob, 204, "POST", "/api/auth/logout");
  await logIn(bob);
  await ask(bob, 204, "POST", "/api/auth/logout-all");
}

async function walkOrders(on, admin) {
  const cleo = await on.newcomer("Cleo");
  const product = { sku: `TEA-${on.run}`, name: "Tea", priceMinor: 1_250, currency: "EUR", stock: 3 };
  const { body } = await ask(admin, 201, "POST", "/api/products", { json: product });
  const path = `/api/products/${body.id}`;
  await ask(admin, 409, "POST", "/api/products", { json: product });
  await ask(cleo, 403, "POST", "/api/products", { json: product });
  await ask(cleo, 200, "GET", "/api/products?limit=1");
  await ask(cleo, 200, "GET", path);
  await ask(cleo, 304, "GET", path, { headers: { "If-None-Match": '"1"' } });
  await ask(admin, 200, "PATCH", path, { json: { stock: 4 } });
  const items = [{ productId: body.id, quantity: 2 }];
  const placed = await ask(cleo, 201, "POST", "/api/orders", { json: { items } });
  const order = `/api/orders/${placed.body.id}`;
  await ask(cleo, 409, "POST", "/api/orders", { json: { items: [{ ...items[0], quantity: 9 }] } });
  await ask(cleo, 200, "GET", "/api/orders?limit=1");
  await ask(cleo, 200, "GET", order);
  await ask(cleo, 304, "GET", order, { headers: { "If-None-Match": '"1"' } });
  await ask(cleo, 200, "GET", `${order}/history`);
  await ask(cleo, 403, "PATCH", order, { json: { status: "paid" } });
  await ask(cleo, 200, "PATCH", order, { json: { status: "cancelled" } });
  await ask(admin, 409, "PATCH", order, { json: { status: "paid" } });
  await ask(admin, 204, "DELETE", path);
}

async function walkEvents(admin) {
  const { body } = await ask(admin, 200, "GET", "/api/events?limit=1");
  await ask(admin, 200, "GET", `/api/events/${body.data[0].id}`);
  await ask(admin, 200, "GET", "/api/events/dead-letters");
  await ask(admin, 404, "POST", `/api/events/dead-letters/${MISSING}/replay`);
  await ask(admin, 404, "POST", `/api/events/dead-letters/${MISSING}/discard`, { json: { reason: "gone" } });
  await ask(admin, 202, "POST", "/api/events/replay", { json: {} });
}

async function walkWebhooks({ receiver }, admin) {
  const json = { url: receiver, types: ["user.created"] };
  await ask(admin, 400, "POST", "/api/webhooks", { json: { ...json, url: "no address" } });
  const created = await admin.call("POST", "/api/webhooks", { json, token: admin.token });
  if (created.status === 400) {
    throw new Error("webhooks to this machine are refused: start with --var WEBHOOK_ALLOW_LOCAL:true");
  }
  const { body } = expectStatus(created, 201);
  const path = `/api/webhooks/${body.id}`;
  await ask(admin, 200, "GET", "/api/webhooks?limit=1");
  await ask(admin, 200, "GET", path);
  await ask(admin, 200, "POST", `${path}/rotate-secret`);
  await ask(admin, 202, "POST", `${path}/test`);
  await ask(admin, 200, "GET", `${path}/deliveries`);
  await ask(admin, 200, "PATCH", path, { json: { isEnabled: false } });
  await ask(admin, 409, "POST", `${path}/test`);
  await ask(admin, 204, "DELETE", path);
}

async function walkAdministration(admin) {
  await ask(admin, 200, "PUT", "/api/limits/plan:judged", { json: { limit: 500 } });
  await ask(admin, 200, "GET", "/api/limits/plan:judged");
  await ask(admin, 204, "DELETE", "/api/limits/plan:judged");
  await ask(admin, 200, "GET", "/api/audit?limit=1");
  await ask(admin, 200, "GET", "/api/analytics/signups");
  await ask(admin, 400, "GET", "/api/analytics/signups?from=2026-12-01&to=2026-01-01");
  await ask(admin, 404, "GET", "/problems/nothing");
}
