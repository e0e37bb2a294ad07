import { afterAll, beforeAll, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../support/dev-server.ts";

let server: DevServer;

beforeAll(async () => {
  server = await startDevServer(["examples/service-caller/wrangler.toml", "wrangler.toml"]);
}, 60_000);

afterAll(() => server?.stop());

async function send(path: string, json?: object) {
  const response = await fetch(`${server.base}${path}`, {
    ...(json === undefined ? {} : { method: "POST", body: JSON.stringify(json) }),
  });
  return {
    status: response.status,
    json: (await response.json()) as { id: string; code: string; data: object },
  };
}

test("a Worker calls Meridian by service binding: in its own name by props, else as a stranger", async () => {
  const ada = { name: "Ada Lovelace", email: "ada@example.com" };
  const created = await send("/sign-up", ada);
  expect([created.status, created.json]).toMatchObject([200, { ...ada, version: 1 }]);
  expect((await send("/sign-up", ada)).json.id).toBe(created.json.id);

  const { id } = created.json;
  expect((await send(`/users/${id}`)).json).toMatchObject(ada);
  expect((await send(`/users-as-stranger/${id}`)).json.code).toBe("unauthenticated");
  expect((await send(`/orders-of/${id}`)).json.data).toEqual([]);
});

test("refusals are values with the codes of every other protocol", async () => {
  expect((await send("/sign-up", { name: "Al", email: "al@example.com" })).json.code).toBe(
    "validation_failed",
  );
  expect((await send("/users/019ab000-0000-7000-8000-000000000000")).json.code).toBe("not_found");
  expect((await send("/whose/not.a.token")).json.code).toBe("unauthenticated");
});
