/** `@meridian/client` against the Worker itself. */
import { env, exports } from "cloudflare:workers";
import { describe, expect, expectTypeOf, test } from "vitest";
import { Client, type ClientOptions, isRefusal, NetworkError, type Schemas } from "../../client/src";
import { createAdmin, createLoggedInAccount, freshEmail, PASSWORD, signToken } from "../support/accounts";
import { freshAddress } from "../support/client";

interface Sent {
  readonly request: Request;
  status: number;
}

/** A client at an address of its own, what it sent, and how long it would have slept. */
function stage(
  options: Partial<ClientOptions> = {},
  disturb?: (sent: number, request: Request) => Response | null,
) {
  const address = freshAddress();
  const sent: Sent[] = [];
  const slept: number[] = [];
  const client = new Client({
    baseUrl: "https://meridian.example/",
    sleep: async (milliseconds) => void slept.push(milliseconds),
    fetch: async (request) => {
      const entry: Sent = { request, status: 0 };
      sent.push(entry);
      const disturbed = disturb?.(sent.length, request) ?? null;
      const headers = new Headers(request.headers);
      headers.set("CF-Connecting-IP", address);
      const response = disturbed ?? (await exports.default.fetch(new Request(request, { headers })));
      entry.status = response.status;
      return response;
    },
    ...options,
  });
  return { client, sent, slept };
}

const paths = (sent: readonly Sent[]) => sent.map(({ request }) => new URL(request.url).pathname);
const busy = (retryAfter: string) =>
  Response.json(
    { code: "unavailable", status: 503, detail: "" },
    { status: 503, headers: { "Content-Type": "application/problem+json", "Retry-After": retryAfter } },
  );

describe("a call", () => {
  test("is typed from end to end, and what was written is read", async () => {
    const { client, sent } = stage();
    const email = freshEmail();
    const { data, etag } = await client.post("/api/users", {
      body: { name: "Ada", email, password: PASSWORD },
    });
    expectTypeOf(data).toEqualTypeOf<Schemas["User"]>();
    expect(etag).toBe('"1"');
    await client.logIn({ email, password: PASSWORD });
    const me = await client.get("/api/users/{id}", { path: { id: data.id } });
    expect(me.data.name).toBe("Ada");
    expect(sent.at(-1)?.request.headers.get("x-d1-bookmark")).toMatch(/^[0-9a-f]{8}-/);
    const again = await client.get("/api/users/{id}", { path: { id: data.id }, ifNoneMatch: me.etag ?? "" });
    expect(again).toMatchObject({ status: 304, data: null });
  });

  test("that is refused throws its code", async () => {
    const { client } = stage();
    const refused = await client
      .post("/api/users", { body: { name: "A", email: "no" } })
      .catch((error) => error);
    expect(isRefusal(refused, "validation_failed")).toBe(true);
    expect(refused.problem.errors.map(({ pointer }: { pointer: string }) => pointer)).toContain("#/name");
    expect(refused.requestId).toBe(refused.problem.requestId);
  });

  test("whose answer was lost is sent again with its key, and takes effect once", async () => {
    const lost: Response[] = [];
    const { client, sent } = stage({
      fetch: async (request) => {
        const headers = new Headers(request.headers);
        headers.set("CF-Connecting-IP", "192.0.2.77");
        const response = await exports.default.fetch(new Request(request, { headers }));
        if (lost.length > 0) return response;
        lost.push(response);
        await response.text();
        throw new TypeError("connection reset");
      },
    });
    const answer = await client.post("/api/users", { body: { name: "Ada", email: freshEmail() } });
    expect(sent).toEqual([]);
    expect(answer).toMatchObject({ status: 201, isReplay: true });
    const { results } = await env.DB.prepare("select count(*) as users from users").run();
    expect(results).toEqual([{ users: 1 }]);
  });

  test("is sent four times at most, each after a longer wait, at least what Retry-After says", async () => {
    const { client, sent, slept } = stage({}, () => busy("3"));
    await expect(client.get("/api/products")).rejects.toMatchObject({ code: "unavailable" });
    expect(sent).toHaveLength(4);
    expect(slept).toEqual([3_000, 3_000, 3_000]);
    const away = stage({}, () => {
      throw new TypeError("no network");
    });
    await expect(away.client.get("/api/products")).rejects.toBeInstanceOf(NetworkError);
    expect(away.sent).toHaveLength(4);
  });

  test("over the limit throws, or waits as long as it may", async () => {
    const limited = (count: number) =>
      count === 1
        ? Response.json(
            { code: "rate_limited", status: 429, detail: "" },
            { status: 429, headers: { "Content-Type": "application/problem+json", "Retry-After": "30" } },
          )
        : null;
    await expect(stage({}, limited).client.get("/api/products")).rejects.toMatchObject({
      code: "rate_limited",
    });
    const patient = stage({ waitSecondsMax: 60 }, limited);
    expect((await patient.client.get("/api/products")).status).toBe(200);
    expect(patient.slept).toEqual([30_000]);
  });

  test("by an abort ends at once, whatever it waits for", async () => {
    const controller = new AbortController();
    const sleep: ClientOptions["sleep"] = async (_, signal) => {
      controller.abort(new Error("enough"));
      signal?.throwIfAborted();
    };
    const { client, sent } = stage({ sleep }, () => busy("1"));
    await expect(client.get("/api/products", { signal: controller.signal })).rejects.toThrow("enough");
    expect(sent).toHaveLength(1);
  });
});

describe("a session", () => {
  test("that expired is renewed once for any number of calls", async () => {
    const account = await createLoggedInAccount();
    const kept: unknown[] = [];
    const { client, sent } = stage({
      session: { accessToken: "stale.access.token", refreshToken: account.refreshToken },
      onSession: (session) => kept.push(session),
    });
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.get("/api/users/me")));
    expect(answers.map(({ data }) => data.id)).toEqual(Array(4).fill(account.id));
    expect(paths(sent).filter((path) => path === "/api/auth/refresh")).toHaveLength(1);
    expect(kept).toEqual([client.session]);
  });

  test("that cannot be renewed is over", async () => {
    const { client, sent } = stage({ session: { accessToken: "a.b.c", refreshToken: "none" } });
    await expect(client.get("/api/users/me")).rejects.toMatchObject({ status: 401 });
    expect(client.session).toBeNull();
    expect(paths(sent)).toEqual(["/api/users/me", "/api/auth/refresh"]);
  });

  test("ends with a logout", async () => {
    const account = await createLoggedInAccount();
    const { client } = stage({ session: { accessToken: account.token, refreshToken: account.refreshToken } });
    await client.logOut();
    expect(client.session).toBeNull();
    const { status } = await exports.default.fetch("https://meridian.example/api/auth/refresh", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refreshToken: account.refreshToken }),
    });
    expect(status).toBe(401);
  });
});

test("a list is walked to its end, each item once", async () => {
  const admin = await createAdmin();
  const accessToken = await signToken({ userId: admin.id, role: "admin" });
  const { client, sent } = stage({ session: { accessToken, refreshToken: "none" } });
  for (const sku of ["A", "B", "C", "D", "E"]) {
    await client.post("/api/products", {
      body: { sku, name: sku, priceMinor: 1, currency: "EUR", stock: 1 },
    });
  }
  const skus: string[] = [];
  for await (const { sku } of client.pages("/api/products", { query: { limit: 2 } })) skus.push(sku);
  expect(skus.toSorted()).toEqual(["A", "B", "C", "D", "E"]);
  expect(paths(sent).filter((_, index) => sent[index]?.request.method === "GET")).toHaveLength(3);
  const types: string[] = [];
  for await (const event of client.pages("/api/events", { query: { limit: 1 } })) types.push(event.type);
  expect(types).toContain("user.created");
});
