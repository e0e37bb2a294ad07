import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { newId } from "../../../src/platform/clock";
import { createAccount, createAdmin } from "../../support/accounts";
import { type Answer, type Call, call, freshAddress } from "../../support/client";
import { sendCounted } from "../../support/counted-app";

async function ask(query: string, options: Call & { variables?: object } = {}): Promise<Answer> {
  const { variables, ...rest } = options;
  return await call("/graphql", { json: { query, variables }, ...rest });
}

const codeIn = (answer: { json: { errors?: { extensions: { code: string } }[] } }) =>
  answer.json.errors?.[0]?.extensions.code;

describe("a GraphQL document over a limit is refused before anything runs", () => {
  const nested = (levels: number) =>
    `{ users { edges { node { ${"orders { edges { node { user { ".repeat(levels)} id ${"} } } }".repeat(levels)} } } } }`;

  test("deeper than 12 selection sets, fragments included", async () => {
    // { users { edges { node { orders { edges { node { user { orders { edges { node { user { are 12.
    expect((await ask(nested(2))).json.errors[0].message).not.toContain("deeper");
    const deep = await ask(nested(3));
    expect([codeIn(deep), deep.json.errors[0].message]).toEqual([
      "validation_failed",
      "The operation is deeper than 12.",
    ]);
    const inFragments = await ask(
      `query { me { ...A } } fragment A on User { ${"... on User { ".repeat(10)} id ${"} ".repeat(10)} }`,
    );
    expect(inFragments.json.errors[0].message).toBe("The operation is deeper than 12.");
  });

  test("more than 15 aliases, wherever they are", async () => {
    const aliased = (count: number) =>
      Array.from({ length: count }, (_, at) => `a${at}: __typename`).join(" ");
    expect((await ask(`{ ${aliased(15)} }`)).json.errors).toBeUndefined();
    expect((await ask(`{ ${aliased(16)} }`)).json.errors[0].message).toContain("15 aliases");
    const spread = `{ me { ...A } b: me { ...A } } fragment A on User { ${aliased(8)} }`;
    expect((await ask(spread)).json.errors[0].message).toContain("15 aliases");
  });

  test("more than 2,000 tokens", async () => {
    expect((await ask(`{ ${"id ".repeat(2_000)} }`)).json.errors[0].message).toContain("2000");
    const many = await ask(
      `{ ${Array.from({ length: 10_000 }, (_, at) => `a${at}: __typename`).join(" ")} }`,
    );
    expect(codeIn(many)).toBe("validation_failed");
  });

  test("costlier than 5,000, with the sizes of lists counted, literal or variable", async () => {
    const lists =
      "query ($n: Int) { users(first: $n) { edges { node { orders(first: $n) { edges { node { id } } } } } } }";
    const { token } = await createAdmin();
    expect((await ask(lists, { token, variables: { n: 20 } })).json.errors).toBeUndefined();
    expect((await ask(lists, { token, variables: { n: 100 } })).json.errors[0].message).toContain("5000");
    expect(
      (await ask(lists.replaceAll("$n)", "100)").replace("query ($n: Int)", ""))).json.errors[0].message,
    ).toContain("5000");
    const byDefault = lists.replace("$n: Int", "$n: Int = 100");
    expect((await ask(byDefault, { token })).json.errors[0].message).toContain("5000");
  });

  test("more than ten mutations, in whatever fragments they are", async () => {
    const ended = (count: number) => Array.from({ length: count }, (_, at) => `a${at}: logOut`).join(" ");
    for (const document of [
      `mutation { ${ended(11)} }`,
      `mutation { ...F } fragment F on Mutation { ${ended(11)} }`,
      `mutation { ... { ...F } ... on Mutation { a10: logOut } } fragment F on Mutation { ${ended(10)} }`,
    ]) {
      const answer = await ask(document);
      expect([answer.json.data, answer.json.errors[0].message]).toEqual([
        undefined,
        expect.stringContaining("5000"),
      ]);
    }
    expect((await ask(`mutation { ...F } fragment F on Mutation { ${ended(10)} }`)).json.data).toBeNull();
  });

  test("doubling itself in each fragment", async () => {
    const fragments = Array.from(
      { length: 20 },
      (_, at) => `fragment F${at} on User { ...F${at + 1} ...F${at + 1} }`,
    );
    const answer = await ask(`{ me { ...F9 } } ${fragments.slice(9).join(" ")} fragment F20 on User { id }`);
    expect(codeIn(answer)).toBe("validation_failed");
  });

  test("in a circle of fragments", async () => {
    const answer = await ask("{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }");
    expect(answer.json.errors[0].message).toContain("within itself");
  });
});

describe("a GraphQL request that is none", () => {
  test.each([
    [
      "an empty body",
      { method: "POST", headers: { "content-type": "application/json" }, body: "" },
      "malformed_json",
    ],
    ["an array: batches are off", { json: [{ query: "{ __typename }" }] }, "validation_failed"],
    ["broken JSON", { body: "{", headers: { "content-type": "application/json" } }, "malformed_json"],
    ["no query", { json: {} }, "validation_failed"],
    ["a query that is no text", { json: { query: 7 } }, "validation_failed"],
    ["variables that are a list", { json: { query: "{ __typename }", variables: [] } }, "validation_failed"],
    [
      "an operation that is not there",
      { json: { query: "query A { __typename }", operationName: "B" } },
      "validation_failed",
    ],
    ["a subscription", { json: { query: "subscription { me { id } }" } }, "validation_failed"],
  ] as const)("%s is refused with a code", async (_title, options, code) => {
    const answer = await call("/graphql", options);
    expect([codeIn(answer), answer.json.data]).toEqual([code, undefined]);
  });

  test("a variable of the wrong type is refused and never reaches a service", async () => {
    const query = "query ($id: ID!) { user(id: $id) { id } }";
    const answer = await ask(query, { variables: { id: { $ne: null } } });
    expect([codeIn(answer), answer.json.data]).toEqual(["validation_failed", undefined]);
  });

  test("simple content types, which any page may send, are refused", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
    ]) {
      const answer = await call("/graphql", {
        body: '{"query":"{ __typename }"}',
        headers: { "content-type": type },
      });
      expect([type, answer.status, codeIn(answer)]).toEqual([type, 415, "unsupported_media_type"]);
    }
  });

  test("a mutation by GET is refused and changes nothing", async () => {
    const query = 'mutation { signUp(input: { name: "Ada Lovelace", email: "get@example.com" }) { id } }';
    const answer = await call(`/graphql?query=${encodeURIComponent(query)}`);
    expect([answer.status, codeIn(answer), answer.headers.get("allow")]).toEqual([
      405,
      "method_not_allowed",
      "POST",
    ]);
    expect(await env.DB.prepare("select count(*) as n from users").first("n")).toBe(0);
  });

  test("HEAD answers a query as GET does, without its body, and changes nothing either", async () => {
    const from = freshAddress();
    const ask = (method: string, query: string) =>
      call(`/graphql?query=${encodeURIComponent(query)}`, { method, from });
    const [head, get] = [await ask("HEAD", "{ __typename }"), await ask("GET", "{ __typename }")];
    expect([head.status, head.text, head.headers.get("content-type")]).toEqual([
      200,
      "",
      get.headers.get("content-type"),
    ]);
    const signUp = 'mutation { signUp(input: { name: "Ada Lovelace", email: "head@example.com" }) { id } }';
    expect((await ask("HEAD", signUp)).status).toBe(405);
    expect(await env.DB.prepare("select count(*) as n from users").first("n")).toBe(0);
  });

  test("a body of more than 256 KiB is refused in GraphQL's words", async () => {
    const answer = await ask(`{ __typename } #${"x".repeat(1_000_000)}`);
    expect([answer.status, codeIn(answer)]).toEqual([413, "payload_too_large"]);
  });

  test("a spent budget and a bad token are refused in GraphQL's words, with the status and headers of REST", async () => {
    const bad = await ask("{ __typename }", { token: "not-a-token" });
    expect([bad.status, codeIn(bad)]).toEqual([401, "unauthenticated"]);
    expect(bad.headers.get("www-authenticate")).toContain("Bearer");
    const from = freshAddress();
    for (let spent = 0; spent < 100; spent += 1) await call("/api/products/none", { from });
    const over = await ask("{ __typename }", { from });
    expect([over.status, codeIn(over)]).toEqual([429, "rate_limited"]);
    expect(over.json.errors[0].extensions["violated-policies"]).toBeDefined();
    expect(over.headers.get("retry-after")).toMatch(/^\d+$/);
  });

  test("a method that is none of GraphQL's is 405 with those that are", async () => {
    const answer = await call("/graphql", { method: "PUT", json: {} });
    expect([answer.status, codeIn(answer), answer.headers.get("allow")]).toEqual([
      405,
      "method_not_allowed",
      "GET, POST, HEAD, OPTIONS",
    ]);
  });
});

describe("a GraphQL answer", () => {
  test("to a stranger: __typename is 200 and me is null", async () => {
    const answer = await ask("{ __typename me { id } }");
    expect([answer.status, answer.json]).toEqual([200, { data: { __typename: "Query", me: null } }]);
  });

  test("what is not there and what is not yours are null alike, and the rest is answered", async () => {
    const [ada, grace] = [await createAccount(), await createAccount()];
    const query =
      "query ($a: ID!, $b: ID!) { hers: user(id: $a) { id } nobodys: user(id: $b) { id } me { id } }";
    const answer = await ask(query, { token: ada.token, variables: { a: grace.id, b: newId() } });
    expect(answer.json.data).toEqual({ hers: null, nobodys: null, me: { id: ada.id } });
    const [hers, nobodys] = answer.json.errors;
    expect(hers.extensions).toEqual(nobodys.extensions);
    expect([hers.message, hers.extensions.code]).toEqual([nobodys.message, "not_found"]);
  });

  test("a failure inside is masked", async () => {
    await env.DB.prepare("drop table products").run();
    const answer = await ask("{ products { edges { node { id } } } }");
    expect(codeIn(answer)).toBe("unavailable");
    expect(answer.text).not.toMatch(/no such table|sqlite|D1_ERROR|stack/i);
  });

  test("says nothing of the schema where introspection is off", async () => {
    const off = { GRAPHQL_INTROSPECTION: "false" } as Partial<Env>;
    const request = (body: string) =>
      new Request("https://meridian.example/graphql", {
        method: "POST",
        headers: { "content-type": "application/json", "cf-connecting-ip": freshAddress() },
        body,
      });
    const { response } = await sendCounted(request('{"query":"{ __schema { types { name } } }"}'), off);
    const answer = await response.json<{ errors: { extensions: { code: string } }[]; data?: unknown }>();
    expect([answer.errors[0]?.extensions.code, answer.data]).toEqual(["validation_failed", undefined]);
    const misspelt = [
      { query: "{ usr { id } }" },
      { query: "{ users(sort: NAMEASC) { edges { cursor } } }" },
      { query: "query ($s: UserSort) { users(sort: $s) { edges { cursor } } }", variables: { s: "NAMEASC" } },
    ];
    for (const document of misspelt) {
      const { response: guessed } = await sendCounted(request(JSON.stringify(document)), off);
      const text = await guessed.text();
      expect([text.includes("validation_failed"), text.includes("Did you mean")]).toEqual([true, false]);
    }
    const page = new Request("https://meridian.example/graphql", {
      headers: { accept: "text/html", "cf-connecting-ip": freshAddress() },
    });
    expect((await sendCounted(page, off)).response.headers.get("content-type") ?? "").not.toContain(
      "text/html",
    );
  });

  test("pages forward by cursor until there is no next page", async () => {
    const admin = await createAdmin();
    for (let count = 0; count < 4; count += 1) await createAccount();
    const seen: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 5; page += 1) {
      const query =
        "query ($after: String) { users(first: 2, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
      const answer: Answer = await ask(query, { token: admin.token, variables: { after } });
      const { users } = answer.json.data;
      expect(users.pageInfo.hasPreviousPage).toBe(page > 0);
      expect(users.edges.at(-1)?.cursor.length).toBeGreaterThan(20);
      seen.push(...users.edges.map((edge: { node: { id: string } }) => edge.node.id));
      after = users.pageInfo.endCursor;
      if (!users.pageInfo.hasNextPage) break;
    }
    expect([seen.length, new Set(seen).size]).toEqual([5, 5]);
  });

  test("a page begins after any edge's cursor", async () => {
    const { token } = await createAdmin();
    for (let count = 0; count < 3; count += 1) await createAccount();
    const list = (first: number, after: string | null) =>
      ask("query ($f: Int, $a: String) { users(first: $f, after: $a) { edges { cursor node { id } } } }", {
        token,
        variables: { f: first, a: after },
      });
    const all = (await list(4, null)).json.data.users.edges;
    const rest = (await list(4, all[1].cursor)).json.data.users.edges;
    expect(rest.map((edge: { node: object }) => edge.node)).toEqual(
      all.slice(2).map((edge: { node: object }) => edge.node),
    );
  });
});

describe("the number of D1 statements follows from a query's depth", () => {
  /** Users with orders, straight into the database. */
  async function fill(users: number, ordersEach: number): Promise<void> {
    const statements: D1PreparedStatement[] = [];
    const product = newId();
    statements.push(
      env.DB.prepare(
        "insert into products (id, sku, name, price_minor, currency, stock, version, last_change_id, created_at, updated_at) values (?, 'sku', 'Cards', 100, 'EUR', 5, 1, '', 1, 1)",
      ).bind(product),
    );
    for (let user = 0; user < users; user += 1) {
      const userId = newId();
      statements.push(
        env.DB.prepare(
          "insert into users (id, name, email, email_key, role, is_email_verified, token_epoch, version, last_change_id, created_at, updated_at) values (?, 'User', ?2, ?2, 'user', 0, 1, 1, '', ?3, ?3)",
        ).bind(userId, `u${user}@example.com`, user),
        env.DB.prepare("insert into user_profiles (user_id) values (?)").bind(userId),
      );
      for (let order = 0; order < ordersEach; order += 1) {
        const orderId = newId();
        statements.push(
          env.DB.prepare(
            "insert into orders (id, user_id, status, currency, total_minor, version, last_change_id, created_at, updated_at) values (?, ?, 'pending', 'EUR', 100, 1, '', ?3, ?3)",
          ).bind(orderId, userId, order),
          env.DB.prepare(
            "insert into order_lines (order_id, position, product_id, sku, name, unit_price_minor, quantity) values (?, 0, ?, 'sku', 'Cards', 100, 1)",
          ).bind(orderId, product),
        );
      }
    }
    for (let at = 0; at < statements.length; at += 500) await env.DB.batch(statements.slice(at, at + 500));
  }

  const QUERY = `query ($users: Int, $orders: Int) { users(first: $users, sort: CREATED_AT_ASC) { edges { node {
    id orders(first: $orders) { edges { node { id totalMinor user { name } items { sku } } } } } } } }`;

  async function measure(token: string, variables: object) {
    const request = new Request("https://meridian.example/graphql", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${token}`,
        "cf-connecting-ip": freshAddress(),
      },
      body: JSON.stringify({ query: QUERY, variables }),
    });
    const { response, before } = await sendCounted(request);
    // biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever shape came back.
    return { answer: await response.json<any>(), before };
  }

  test("three levels over 100 users with 10 orders each take as many as over 10 users with 1", async () => {
    const { token } = await createAdmin();
    await fill(100, 10);
    const small = await measure(token, { users: 10, orders: 1 });
    const large = await measure(token, { users: 100, orders: 10 });
    expect(large.answer.errors).toBeUndefined();
    const { edges } = large.answer.data.users;
    expect(edges.flatMap((edge: { node: { orders: { edges: [] } } }) => edge.node.orders.edges)).toHaveLength(
      1_000,
    );
    expect(large.before.d1Statements).toBe(small.before.d1Statements);
    expect([large.before.d1RoundTrips, large.before.d1Statements]).toEqual([3, 4]);
  });

  test("each user's page holds its own newest orders, and goes on by its cursor", async () => {
    const { token } = await createAdmin();
    await fill(3, 5);
    const { answer } = await measure(token, { users: 3, orders: 2 });
    for (const { node } of answer.data.users.edges) {
      expect(node.orders.edges).toHaveLength(2);
      expect(node.orders.edges[0].node.user.name).toBe("User");
      const newest = await env.DB.prepare(
        "select id from orders where user_id = ? order by created_at desc, id desc limit 2",
      )
        .bind(node.id)
        .all<{ id: string }>();
      expect(node.orders.edges.map((edge: { node: { id: string } }) => edge.node.id)).toEqual(
        newest.results.map(({ id }) => id),
      );
    }
    const [first] = answer.data.users.edges;
    const page = (after: string | null) =>
      ask(
        "query ($id: ID!, $after: String) { user(id: $id) { orders(first: 2, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } } }",
        { token, variables: { id: first.node.id, after } },
      );
    const ids: string[] = [];
    let after: string | null = null;
    for (let turn = 0; turn < 3; turn += 1) {
      const answer: Answer = await page(after);
      const { orders } = answer.json.data.user;
      ids.push(...orders.edges.map((edge: { node: { id: string } }) => edge.node.id));
      after = orders.pageInfo.endCursor;
    }
    expect(new Set(ids).size).toBe(5);
  });
});
