import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { Stamped } from "../../src/platform/database";
import type { Account } from "../../src/services/users/model";
import { newUserMemory, UserCache } from "../../src/services/users/user-cache";
import { sendCounted } from "../support/counted-app";
import { TestClock, testScope } from "../support/outbox";
import { storeUser } from "../support/stored-user";

/** A namespace that counts, and fails while told to. */
class FlakyKv {
  isFailing = true;
  message = "KV GET failed: 500 Internal Server Error";
  gets = 0;
  puts = 0;

  get binding(): KVNamespace {
    return {
      get: async () => {
        this.gets += 1;
        if (this.isFailing) throw new Error(this.message);
        return null;
      },
      put: async () => {
        this.puts += 1;
        if (this.isFailing) throw new Error(this.message);
      },
    } as unknown as KVNamespace;
  }
}

function newCache(kv: FlakyKv, clock: TestClock) {
  const memory = newUserMemory();
  return () => {
    const scope = testScope(clock);
    return { scope, cache: new UserCache({ kv: kv.binding, memory, ttlSeconds: 3_600, scope }) };
  };
}

const NOBODY: Stamped<Account | null> = { value: null, bookmark: null, isFromPrimary: true };
const load = async () => NOBODY;

describe("while KV fails", () => {
  test("every request is answered, out of D1", async () => {
    const kv = new FlakyKv();
    for (let user = 0; user < 5; user += 1) {
      const { id, token } = await storeUser();
      const path = `https://meridian.example/api/users/${id}`;
      const headers = { Authorization: `Bearer ${token}` };
      const overrides = { USER_CACHE: kv.binding };
      const read = await sendCounted(new Request(path, { headers }), overrides);
      expect(read.response.status).toBe(200);
      expect(read.before.d1RoundTrips).toBe(1);
      const body = JSON.stringify({ name: "Ada King" });
      const json = { ...headers, "Content-Type": "application/json" };
      const write = await sendCounted(new Request(path, { method: "PATCH", headers: json, body }), overrides);
      expect(write.response.status).toBe(200);
    }
    expect([kv.gets, kv.puts]).toEqual([3, 3]);
    expect(await env.USER_CACHE.get("anything")).toBeNull();
  });

  test("it is left alone after three failures in a row, counted and logged, and tried again half a minute later", async () => {
    const [kv, clock] = [new FlakyKv(), new TestClock()];
    const next = newCache(kv, clock);
    const events: string[] = [];
    for (let read = 0; read < 6; read += 1) {
      const { cache, scope } = next();
      await cache.read(`user-${read}`, load);
      expect(scope.calls.kvFailures).toBe(read < 3 ? 1 : 0);
      events.push(...scope.lines.map(({ event }) => event));
    }
    expect(kv.gets).toBe(3);
    expect(events).toEqual(["cache.kv_failed", "cache.kv_failed", "cache.kv_left_alone"]);

    kv.isFailing = false;
    clock.advance(29);
    await next().cache.read("user-7", load);
    expect(kv.gets).toBe(3);
    clock.advance(1);
    await next().cache.read("user-8", load);
    await next().cache.read("user-9", load);
    expect(kv.gets).toBe(5);
  });

  test("too many writes of one key say nothing about KV", async () => {
    const [kv, clock] = [new FlakyKv(), new TestClock()];
    kv.message = "KV PUT failed: 429 Too Many Requests";
    const next = newCache(kv, clock);
    for (let write = 0; write < 5; write += 1) {
      const { cache, scope } = next();
      cache.written("ada", NOBODY, clock.now);
      await scope.settled();
    }
    expect(kv.puts).toBe(5);
  });

  test("the refresh tries all the same, and fails for its message to come again", async () => {
    const [kv, clock] = [new FlakyKv(), new TestClock()];
    const next = newCache(kv, clock);
    for (let refresh = 0; refresh < 5; refresh += 1) {
      await expect(next().cache.refresh("ada", load)).rejects.toMatchObject({ code: "unavailable" });
    }
    kv.isFailing = false;
    await next().cache.refresh("ada", load);
    expect(kv.puts).toBe(6);
  });

  test("a refresh that took so long that its entry has expired fails too", async () => {
    const [kv, clock] = [new FlakyKv(), new TestClock()];
    kv.isFailing = false;
    const slow = async () => {
      clock.advance(61);
      return NOBODY;
    };
    await expect(newCache(kv, clock)().cache.refresh("ada", slow)).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(kv.puts).toBe(0);
  });
});
