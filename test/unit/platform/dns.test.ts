import { afterEach, expect, test, vi } from "vitest";
import { resolveOverHttps } from "../../../src/platform/dns";

function resolver(answer: (type: string) => Response | Promise<Response>): void {
  vi.stubGlobal("fetch", async (url: string) => await answer(new URL(url).searchParams.get("type") ?? ""));
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test("a name's addresses of both families are given, and its aliases are not", async () => {
  resolver((type) =>
    Response.json({
      Status: 0,
      Answer: [
        { type: 5, data: "alias.example.com." },
        type === "A" ? { type: 1, data: "93.184.215.14" } : { type: 28, data: "2606:2800::1" },
      ],
    }),
  );
  expect(await resolveOverHttps("example.com")).toEqual(["93.184.215.14", "2606:2800::1"]);
});

test("a name without an address gives none", async () => {
  resolver(() => Response.json({ Status: 3 }));
  expect(await resolveOverHttps("nowhere.example")).toEqual([]);
});

test("a resolver that does not answer, or not in JSON, is a failure that may pass", async () => {
  resolver(() => Promise.reject(new TypeError("network")));
  await expect(resolveOverHttps("example.com")).rejects.toMatchObject({
    code: "unavailable",
    isRetryable: true,
  });
  resolver(() => new Response("<html>"));
  await expect(resolveOverHttps("example.com")).rejects.toMatchObject({ code: "unavailable" });
});

test("a resolver that cannot tell one of the families is a failure, and not a name without such addresses", async () => {
  const known = Response.json({ Status: 0, Answer: [{ type: 1, data: "93.184.215.14" }] });
  resolver((type) => (type === "A" ? known : Response.json({ Status: 2 })));
  await expect(resolveOverHttps("example.com")).rejects.toMatchObject({ code: "unavailable" });
});

test("a resolver that leads elsewhere is not followed", async () => {
  const redirects: unknown[] = [];
  vi.stubGlobal("fetch", async (_: string, init?: RequestInit) => {
    redirects.push(init?.redirect);
    return new Response(null, { status: 302, headers: { location: "https://elsewhere.example/" } });
  });
  await expect(resolveOverHttps("example.com")).rejects.toMatchObject({ code: "unavailable" });
  expect(redirects).toEqual(["manual", "manual"]);
});
