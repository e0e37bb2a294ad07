/** One use case, three protocols: equal result, code, permission and cost. */
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Account, createAccount, createAdmin, freshEmail, PASSWORD } from "../support/accounts";
import { freshAddress } from "../support/client";
import { type Caller, type Said, SPEAKERS, type Speaker, scrubbed } from "../support/speakers";

const NOBODY_ID = "019ab000-0000-7000-8000-000000000000";

/** What a use case starts from; its own for each protocol. */
interface World {
  readonly speak: Speaker;
  readonly ada: Account;
  readonly admin: Account;
  readonly stranger: Caller;
}

interface UseCase {
  readonly title: string;
  readonly code: string;
  readonly run: (world: World) => Promise<Said>;
  /** How many calls the caller has made by then, 1 unless given: each has cost one of its budget. */
  readonly calls?: number;
}

async function addProduct({ admin }: World, details: object = {}): Promise<string> {
  const json = {
    sku: `sku-${freshEmail()}`,
    name: "Punched cards",
    priceMinor: 1_250,
    currency: "EUR",
    stock: 3,
  };
  const answer = await admin.call("/api/products", { json: { ...json, ...details } });
  return answer.json.id;
}

async function placeOrder(world: World, by: Account = world.ada): Promise<{ id: string; version: number }> {
  const items = [{ productId: await addProduct(world), quantity: 1 }];
  return (await by.call("/api/orders", { json: { items } })).json;
}

/** As `caller`, with an address of its own: its budget is whole. */
function afresh(caller: Caller): Caller {
  return { ...caller, from: freshAddress() };
}

const USERS: readonly UseCase[] = [
  {
    title: "a stranger signs up",
    code: "ok",
    run: ({ speak, stranger }) =>
      speak.signUp(stranger, {
        name: "Alan Turing",
        email: freshEmail(),
        age: 41,
        profile: { bio: "Papers." },
      }),
  },
  {
    title: "a sign-up that breaks three rules",
    code: "validation_failed",
    run: ({ speak, stranger }) => speak.signUp(stranger, { name: "Al", email: "nowhere", age: 0 }),
  },
  {
    title: "a sign-up with a password that anybody would guess",
    code: "validation_failed",
    run: ({ speak, stranger }) =>
      speak.signUp(stranger, { name: "Alan Turing", email: freshEmail(), password: "password" }),
  },
  {
    title: "a sign-up with a taken address",
    code: "email_taken",
    run: ({ speak, stranger, ada }) => speak.signUp(stranger, { name: "Alan Turing", email: ada.email }),
  },
  { title: "one reads oneself", code: "ok", run: ({ speak, ada }) => speak.getUser(ada, ada.id) },
  {
    title: "an admin reads another",
    code: "ok",
    run: ({ speak, ada, admin }) => speak.getUser(afresh(admin), ada.id),
    calls: 1,
  },
  {
    title: "one reads another",
    code: "not_found",
    run: ({ speak, ada, admin }) => speak.getUser(ada, admin.id),
  },
  { title: "one reads nobody", code: "not_found", run: ({ speak, ada }) => speak.getUser(ada, NOBODY_ID) },
  {
    title: "an admin reads nobody",
    code: "not_found",
    run: ({ speak, admin }) => speak.getUser(admin, NOBODY_ID),
  },
  {
    title: "an id that is none",
    code: "validation_failed",
    run: ({ speak, ada }) => speak.getUser(ada, "me-too"),
  },
  {
    title: "a read without a token",
    code: "unauthenticated",
    run: ({ speak, stranger, ada }) => speak.getUser(stranger, ada.id),
  },
  {
    title: "a read with a forged token",
    code: "unauthenticated",
    run: ({ speak, stranger, ada }) => speak.getUser({ ...stranger, token: `${ada.token}x` }, ada.id),
  },
  {
    title: "one changes oneself",
    code: "ok",
    run: ({ speak, ada }) =>
      speak.updateUser(ada, ada.id, { name: "Ada King", profile: { locale: "en-GB" } }),
  },
  {
    title: "a change that expects the right version",
    code: "ok",
    run: ({ speak, ada }) => speak.updateUser(ada, ada.id, { age: 36 }, 1),
  },
  {
    title: "a change that expects a stale version",
    code: "precondition_failed",
    run: ({ speak, ada }) => speak.updateUser(ada, ada.id, { age: 36 }, 7),
  },
  {
    title: "one changes another",
    code: "not_found",
    run: ({ speak, ada, admin }) => speak.updateUser(ada, admin.id, { name: "Mallory" }),
  },
  {
    title: "one makes oneself an admin",
    code: "forbidden",
    run: ({ speak, ada }) => speak.updateUser(ada, ada.id, { role: "admin" }),
  },
  {
    title: "an admin makes another an admin",
    code: "ok",
    run: ({ speak, ada, admin }) => speak.updateUser(admin, ada.id, { role: "admin" }),
  },
  {
    title: "an admin's change to a taken address",
    code: "email_taken",
    run: ({ speak, ada, admin }) => speak.updateUser(admin, ada.id, { email: admin.email }),
  },
  {
    title: "a change that breaks a rule",
    code: "validation_failed",
    run: ({ speak, ada }) => speak.updateUser(ada, ada.id, { profile: { avatarUrl: "javascript:alert(1)" } }),
  },
  { title: "one deletes oneself", code: "ok", run: ({ speak, ada }) => speak.deleteUser(ada, ada.id) },
  {
    title: "one deletes another",
    code: "not_found",
    run: ({ speak, ada, admin }) => speak.deleteUser(ada, admin.id),
  },
  {
    title: "a deletion that expects a stale version",
    code: "precondition_failed",
    run: ({ speak, ada }) => speak.deleteUser(ada, ada.id, 9),
  },
  {
    title: "a user whom an admin has deleted",
    code: "not_found",
    calls: 2,
    run: async ({ speak, ada, admin }) => {
      await speak.deleteUser(admin, ada.id);
      return await speak.getUser(admin, ada.id);
    },
  },
  { title: "an admin lists users", code: "ok", run: ({ speak, admin }) => speak.listUsers(admin, {}) },
  {
    title: "a list by filter",
    code: "ok",
    run: ({ speak, admin }) => speak.listUsers(admin, { role: "admin", name: "Grace" }),
  },
  {
    title: "the second page of a list",
    code: "ok",
    calls: 2,
    run: async ({ speak, admin }) => {
      const { value } = await speak.listUsers(admin, { limit: 1 });
      return await speak.listUsers(admin, { limit: 1, cursor: value.nextCursor });
    },
  },
  {
    title: "a cursor of another list",
    code: "validation_failed",
    calls: 2,
    run: async ({ speak, admin }) => {
      const { value } = await speak.listUsers(admin, { limit: 1 });
      return await speak.listUsers(admin, { limit: 1, cursor: value.nextCursor, role: "user" });
    },
  },
  {
    title: "too long a page",
    code: "validation_failed",
    run: ({ speak, admin }) => speak.listUsers(admin, { limit: 101 }),
  },
  { title: "one lists users", code: "forbidden", run: ({ speak, ada }) => speak.listUsers(ada, {}) },
  {
    title: "a stranger lists users",
    code: "unauthenticated",
    run: ({ speak, stranger }) => speak.listUsers(stranger, {}),
  },
];

/** Somebody with a password, logged in over the protocol itself. */
async function loggedIn({ speak, stranger }: World) {
  const email = freshEmail();
  await speak.signUp(stranger, { name: "Alan Turing", email, password: PASSWORD });
  const pair = (await speak.logIn(stranger, { email, password: PASSWORD })).value;
  return { email, refreshToken: pair.refreshToken as string, token: pair.accessToken as string };
}

const AUTH: readonly UseCase[] = [
  {
    title: "one logs in",
    code: "ok",
    calls: 2,
    run: async ({ speak, stranger }) => {
      const email = freshEmail();
      await speak.signUp(stranger, { name: "Alan Turing", email, password: PASSWORD });
      return await speak.logIn(stranger, { email, password: PASSWORD });
    },
  },
  {
    title: "a login with a wrong password",
    code: "invalid_credentials",
    calls: 2,
    run: async ({ speak, stranger }) => {
      const email = freshEmail();
      await speak.signUp(stranger, { name: "Alan Turing", email, password: PASSWORD });
      return await speak.logIn(stranger, { email, password: "not the password" });
    },
  },
  {
    title: "a login with an address that nobody has",
    code: "invalid_credentials",
    run: ({ speak, stranger }) => speak.logIn(stranger, { email: freshEmail(), password: PASSWORD }),
  },
  {
    title: "a login with an empty password",
    code: "validation_failed",
    run: ({ speak, stranger }) => speak.logIn(stranger, { email: freshEmail(), password: "" }),
  },
  {
    title: "a session is refreshed",
    code: "ok",
    calls: 3,
    run: async (world) => {
      const { refreshToken } = await loggedIn(world);
      return await world.speak.refresh(world.stranger, refreshToken);
    },
  },
  {
    title: "a refresh token that is none",
    code: "unauthenticated",
    run: ({ speak, stranger }) => speak.refresh(stranger, "garbage"),
  },
  {
    title: "one logs out",
    code: "ok",
    run: async (world) => {
      const { token } = await loggedIn(world);
      return await world.speak.logOut({ ...afresh(world.stranger), token });
    },
  },
  {
    title: "a token of a session that was ended",
    code: "token_revoked",
    calls: 2,
    run: async (world) => {
      const caller = { ...afresh(world.stranger), token: (await loggedIn(world)).token };
      await world.speak.logOut(caller);
      return await world.speak.logOut(caller);
    },
  },
  {
    title: "a login is not recorded under a key, for it answers with secrets",
    code: "ok",
    calls: 3,
    run: async ({ speak, stranger }) => {
      const input = { email: freshEmail(), password: PASSWORD };
      await speak.signUp(stranger, { name: "Alan Turing", ...input });
      const first = await speak.logIn(keyed(stranger, "key-0"), input);
      const again = await speak.logIn(keyed(stranger, "key-0"), input);
      expect(again.value.refreshToken).not.toBe(first.value.refreshToken);
      expect(again.answer.headers.get("cache-control")).toBe("no-store");
      return again;
    },
  },
  {
    title: "a stranger logs out",
    code: "unauthenticated",
    run: ({ speak, stranger }) => speak.logOut(stranger),
  },
];

const ORDERS: readonly UseCase[] = [
  {
    title: "one orders",
    code: "ok",
    run: async (world) =>
      world.speak.placeOrder(world.ada, [{ productId: await addProduct(world), quantity: 2 }]),
  },
  {
    title: "a stranger orders",
    code: "unauthenticated",
    run: async (world) =>
      world.speak.placeOrder(world.stranger, [{ productId: await addProduct(world), quantity: 2 }]),
  },
  {
    title: "an order of a product that is not there",
    code: "validation_failed",
    run: ({ speak, ada }) => speak.placeOrder(ada, [{ productId: NOBODY_ID, quantity: 1 }]),
  },
  {
    title: "an order of nothing",
    code: "validation_failed",
    run: ({ speak, ada }) => speak.placeOrder(ada, []),
  },
  {
    title: "an order of more than there is",
    code: "out_of_stock",
    run: async (world) =>
      world.speak.placeOrder(world.ada, [{ productId: await addProduct(world), quantity: 4 }]),
  },
  {
    title: "one reads one's order",
    code: "ok",
    calls: 2,
    run: async (world) => world.speak.getOrder(world.ada, (await placeOrder(world)).id),
  },
  {
    title: "one reads another's order",
    code: "not_found",
    run: async (world) => world.speak.getOrder(world.ada, (await placeOrder(world, world.admin)).id),
  },
  {
    title: "one lists one's orders",
    code: "ok",
    calls: 2,
    run: async (world) => {
      await placeOrder(world);
      return await world.speak.listOrders(world.ada, { status: "pending" });
    },
  },
  {
    title: "one lists another's orders",
    code: "forbidden",
    run: ({ speak, ada, admin }) => speak.listOrders(ada, { userId: admin.id }),
  },
  {
    title: "one cancels one's order",
    code: "ok",
    calls: 2,
    run: async (world) => world.speak.changeStatus(world.ada, (await placeOrder(world)).id, "cancelled"),
  },
  {
    title: "one ships one's order",
    code: "forbidden",
    calls: 2,
    run: async (world) => world.speak.changeStatus(world.ada, (await placeOrder(world)).id, "shipped"),
  },
  {
    title: "an order is delivered before it is paid",
    code: "invalid_transition",
    calls: 2,
    run: async (world) => world.speak.changeStatus(world.admin, (await placeOrder(world)).id, "delivered"),
  },
  {
    title: "a transition that expects a stale version",
    code: "precondition_failed",
    calls: 2,
    run: async (world) => world.speak.changeStatus(world.ada, (await placeOrder(world)).id, "cancelled", 5),
  },
  {
    title: "one cancels another's order",
    code: "not_found",
    run: async (world) =>
      world.speak.changeStatus(world.ada, (await placeOrder(world, world.admin)).id, "cancelled"),
  },
];

function keyed(caller: Caller, key: string): Caller {
  return { ...caller, headers: { "Idempotency-Key": key } };
}

const GATE: readonly UseCase[] = [
  {
    title: "an order that is sent again with its key",
    code: "ok",
    calls: 2,
    run: async (world) => {
      const items = [{ productId: await addProduct(world), quantity: 1 }];
      const first = await world.speak.placeOrder(keyed(world.ada, "key-1"), items);
      const again = await world.speak.placeOrder(keyed(world.ada, "key-1"), items);
      expect([first.isReplayed, again.isReplayed]).toEqual([false, true]);
      expect(again.value).toEqual(first.value);
      const count = await env.DB.prepare("select count(*) as n from orders where user_id = ?")
        .bind(world.ada.id)
        .first("n");
      expect(count).toBe(1);
      return again;
    },
  },
  {
    title: "a key that came with another order",
    code: "idempotency_key_reused",
    calls: 2,
    run: async (world) => {
      const productId = await addProduct(world);
      await world.speak.placeOrder(keyed(world.ada, "key-2"), [{ productId, quantity: 1 }]);
      return await world.speak.placeOrder(keyed(world.ada, "key-2"), [{ productId, quantity: 2 }]);
    },
  },
  {
    title: "a sign-up that is sent again with its key",
    code: "ok",
    calls: 2,
    run: async ({ speak, stranger }) => {
      const input = { name: "Alan Turing", email: freshEmail() };
      const first = await speak.signUp(keyed(stranger, "key-3"), input);
      const again = await speak.signUp(keyed(stranger, "key-3"), input);
      expect(again.value.id).toBe(first.value.id);
      return again;
    },
  },
  {
    title: "a key that is none",
    code: "validation_failed",
    run: ({ speak, ada }) => speak.updateUser(keyed(ada, "with a space"), ada.id, { age: 36 }),
  },
  {
    title: "a bookmark that is none",
    code: "validation_failed",
    run: ({ speak, ada }) => speak.getUser({ ...ada, headers: { "X-D1-Bookmark": "yesterday" } }, ada.id),
  },
  {
    title: "a call that its client has named",
    code: "ok",
    run: async ({ speak, ada }) => {
      const said = await speak.getUser({ ...ada, headers: { "X-Request-Id": "call-7" } }, ada.id);
      expect(said.answer.headers.get("x-request-id")).toBe("call-7");
      return said;
    },
  },
  {
    title: "a read of one's own write, by its bookmark",
    code: "ok",
    calls: 2,
    run: async ({ speak, ada }) => {
      const written = await speak.updateUser(ada, ada.id, { name: "Ada King" });
      expect(written.hasBookmark).toBe(true);
      const bookmark = written.answer.headers.get("x-d1-bookmark") ?? "";
      const read = await speak.getUser({ ...ada, headers: { "X-D1-Bookmark": bookmark } }, ada.id);
      expect(read.hasBookmark).toBe(false);
      return read;
    },
  },
  {
    title: "a call over the limit",
    code: "rate_limited",
    calls: 100,
    run: async ({ speak, ada }) => {
      for (let spent = 0; spent < 100; spent += 1) await ada.call("/api/orders/none");
      const refused = await speak.getUser(ada, ada.id);
      expect(refused.answer.status).toBe(429);
      expect(Number(refused.answer.headers.get("retry-after"))).toBeGreaterThan(0);
      return refused;
    },
  },
];

/** `out_of_stock` names what is left, wherever its protocol keeps that. */
function shortagesIn({ json }: Said["answer"]): unknown {
  return (
    json?.products ?? json?.errors?.[0]?.extensions?.products ?? json?.details?.[0]?.debug?.shortages ?? []
  );
}

async function play(useCase: UseCase, speak: Speaker) {
  // Whoever an earlier protocol has left would be in this one's lists.
  await env.DB.batch(["user_profiles", "users"].map((table) => env.DB.prepare(`delete from ${table}`)));
  const world: World = {
    speak,
    ada: await createAccount(),
    admin: await createAdmin(),
    stranger: { from: freshAddress() },
  };
  const said = await useCase.run(world);
  return {
    code: said.code,
    value: scrubbed(said.value),
    violations: said.violations,
    shortages: scrubbed(shortagesIn(said.answer)),
    remaining: said.remaining,
    isReplayed: said.isReplayed,
    hasBookmark: said.hasBookmark,
  };
}

test("several mutations of one GraphQL request cost what the same calls cost over REST, and end where those would", async () => {
  const ada = await createAccount();
  const query = (...mutations: string[]) => ({ json: { query: `mutation { ${mutations.join(" ")} }` } });
  const rename = (alias: string) =>
    `${alias}: updateUser(id: "${ada.id}", input: { name: "Ada ${alias}" }) { name }`;
  const three = await ada.call("/graphql", query(rename("Aa"), rename("Bb"), rename("Cc")));
  expect([three.json.data.Cc, three.headers.get("ratelimit")]).toEqual([
    { name: "Ada Cc" },
    '"default";r=97;t=900',
  ]);
  for (let spent = 3; spent < 98; spent += 1) await ada.call("/api/orders/none");
  const over = await ada.call("/graphql", query(rename("Dd"), rename("Ee"), rename("Ff")));
  expect(over.json.errors).toMatchObject([{ path: ["Ff"], extensions: { code: "rate_limited" } }]);
  expect(over.json.errors[0].extensions["violated-policies"]).toBeDefined();
  expect(over.headers.get("ratelimit")).toMatch(/^"default";r=0;/);
  const name = await env.DB.prepare("select name from users where id = ?").bind(ada.id).first("name");
  expect(name).toBe("Ada Ee");
});

test("a mutation after the one that ended the caller's session is refused, as a call after it would be", async () => {
  const ada = await createAccount();
  const document = `mutation { logOut updateUser(id: "${ada.id}", input: { name: "Mallory" }) { name } }`;
  const answer = await ada.call("/graphql", { json: { query: document } });
  expect(answer.json.errors).toMatchObject([{ path: ["updateUser"], extensions: { code: "token_revoked" } }]);
});

test("a mutation reads what the one before it in the same request has written", async () => {
  const [ada, admin] = [await createAccount(), await createAdmin()];
  const product = { sku: freshEmail(), name: "Cards", priceMinor: 100, currency: "EUR", stock: 9 };
  const { id } = (await admin.call("/api/products", { json: product })).json;
  const place = (alias: string) =>
    `${alias}: placeOrder(input: { items: [{ productId: "${id}", quantity: 1 }] }) { items { product { stock } } }`;
  const answer = await ada.call("/graphql", { json: { query: `mutation { ${place("a")} ${place("b")} }` } });
  const stocks = [answer.json.data.a, answer.json.data.b].map(({ items }) => items[0].product.stock);
  expect(stocks).toEqual([8, 7]);
});

describe.each([
  ["users", USERS],
  ["auth", AUTH],
  ["orders", ORDERS],
  ["the gate", GATE],
] as const)("%s over three protocols", (_name, useCases) => {
  test.each(useCases.map((useCase) => [useCase.title, useCase] as const))("%s", async (_title, useCase) => {
    const played = [];
    for (const speak of SPEAKERS) played.push(await play(useCase, speak));
    const [rest, graphql, connect] = played;
    expect(rest).toMatchObject({ code: useCase.code, remaining: 100 - (useCase.calls ?? 1) });
    expect(graphql).toEqual(rest);
    expect(connect).toEqual(rest);
  });
});

test("a refusal of a list's use case points at the page's argument by its own name in each protocol", async () => {
  const ada = await createAccount();
  const pointers = [];
  for (const speak of SPEAKERS) {
    const { answer } = await speak.listOrders(ada, { cursor: "a-cursor-of-nobody" });
    pointers.push(/"#\/[^"]*"/.exec(answer.text)?.[0]);
  }
  expect(pointers).toEqual(['"#/query/cursor"', '"#/after"', '"#/pageToken"']);
});
