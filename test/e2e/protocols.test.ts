import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { auditServer } from "graphql-http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runTool } from "../../scripts/tools.mjs";
import { UserService } from "../../src/gateway/rpc/gen/users/v1/user_service_pb.ts";
import { type DevServer, startDevServer } from "../support/dev-server.ts";

let server: DevServer;

beforeAll(async () => {
  // One address asks all the questions here.
  server = await startDevServer(["wrangler.toml"], { RATE_LIMIT_MAX: "10000" });
}, 60_000);

afterAll(() => server?.stop());

/** The audit's recommendations that are not followed, each with its reason. */
const NOT_FOLLOWED: Readonly<Record<string, string>> = {};

describe("GraphQL over HTTP", () => {
  test("no MUST of graphql-http's audit fails, and of its SHOULDs only those with a reason", async () => {
    const results = await auditServer({ url: `${server.base}/graphql` });
    const failed = results.filter(({ status }) => status !== "ok");
    expect(failed.filter(({ status }) => status === "error").map(({ name }) => name)).toEqual([]);
    expect(failed.map(({ name }) => name).sort()).toEqual(Object.keys(NOT_FOLLOWED).sort());
    expect(results.length).toBeGreaterThan(50);
  });

  test("a browser is shown GraphiQL, with scripts and styles of ours alone", async () => {
    const page = await fetch(`${server.base}/graphql`, { headers: { accept: "text/html,*/*" } });
    const html = await page.text();
    expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
    const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? "");
    expect(sources.length).toBeGreaterThan(1);
    for (const source of sources) {
      expect(source.startsWith("/")).toBe(true);
      const asset = await fetch(`${server.base}${source}`);
      expect([source, asset.status]).toEqual([source, 200]);
      await asset.body?.cancel();
    }
  });

  test("the schema may be looked at where the Worker is served from this machine", async () => {
    const { getIntrospectionQuery } = await import("graphql");
    const response = await fetch(`${server.base}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: getIntrospectionQuery() }),
    });
    const { data, errors } = (await response.json()) as { data?: { __schema: object }; errors?: unknown };
    expect(errors).toBeUndefined();
    expect(data?.__schema).toMatchObject({
      queryType: { name: "Query" },
      mutationType: { name: "Mutation" },
    });
  });
});

describe("RPC", () => {
  test.each(["connect", "grpcweb"])("buf curl speaks %s with it", async (protocol) => {
    const { code, output } = await runTool("buf", [
      ...["curl", "--schema", "proto", "--protocol", protocol],
      ...["--data", JSON.stringify({ name: "Ada Lovelace", email: `${protocol}@example.com` })],
      `${server.base}/rpc/users.v1.UserService/CreateUser`,
    ]);
    expect([code, output]).toMatchObject([0, expect.stringContaining(`"${protocol}@example.com"`)]);
  });

  const transports: readonly (readonly [string, () => Transport])[] = [
    ["Connect", () => createConnectTransport({ baseUrl: `${server.base}/rpc`, httpVersion: "1.1" })],
    ["gRPC-Web", () => createGrpcWebTransport({ baseUrl: `${server.base}/rpc`, httpVersion: "1.1" })],
  ];
  test.each(transports)("a Node client speaks %s with it", async (name, transportOf) => {
    const users = createClient(UserService, transportOf());
    const email = `node-${name.toLowerCase()}@example.com`;
    expect((await users.createUser({ name: "Grace Hopper", email })).user?.email).toBe(email);
    const error = await users.createUser({ name: "Grace Hopper", email }).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.AlreadyExists });
  });
});
