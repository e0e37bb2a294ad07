import { expect, test } from "vitest";
import { MATCHES_MAX, RememberingRouter } from "../../../../src/gateway/http/router";

function routerOf(routes: readonly (readonly [method: string, path: string])[]) {
  const router = new RememberingRouter<string>();
  for (const [method, path] of routes) router.add(method, path, `${method} ${path}`);
  return router;
}

function found(router: RememberingRouter<string>, method: string, path: string) {
  return router.match(method, path)[0];
}

test("a path is matched once, and each method and path by itself", () => {
  const router = routerOf([
    ["GET", "/users/me"],
    ["GET", "/users/:id"],
    ["PUT", "/users/:id"],
  ]);
  expect(router.match("GET", "/users/1")).toBe(router.match("GET", "/users/1"));
  expect(found(router, "GET", "/users/1")).toEqual([["GET /users/:id", { id: "1" }]]);
  expect(found(router, "GET", "/users/2")).toEqual([["GET /users/:id", { id: "2" }]]);
  expect(found(router, "PUT", "/users/1")).toEqual([["PUT /users/:id", { id: "1" }]]);
  expect(found(router, "GET", "/nowhere")).toEqual([]);
});

test("a route that is added later is found by a path that was asked for before", () => {
  const router = routerOf([]);
  expect(found(router, "GET", "/users")).toEqual([]);
  router.add("GET", "/users", "later");
  expect(found(router, "GET", "/users")).toEqual([["later", {}]]);
});

test("what strangers ask for does not outgrow the memory", () => {
  const router = routerOf([["GET", "/users/:id"]]);
  const long = `/users/${"x".repeat(300)}`;
  expect(router.match("GET", long)).not.toBe(router.match("GET", long));
  const first = router.match("GET", "/users/first");
  for (let number = 1; number < MATCHES_MAX; number += 1) router.match("GET", `/users/${number}`);
  expect(router.match("GET", "/users/first")).toBe(first);
  router.match("GET", "/users/one-too-many");
  expect(router.match("GET", "/users/first")).not.toBe(first);
});
