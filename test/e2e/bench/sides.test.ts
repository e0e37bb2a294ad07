/**
 * The sides of the benchmark are alike: the same requests to the same data get the same answers, and each pays for them
 * what its architecture says. Served as the benchmark serves them, on plain workerd, with calls counted.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBare, startClassic, startLiteral, startProject } from "../../../bench/sides.mjs";

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
type Side = Awaited<ReturnType<typeof startBare>>;

const sides = new Map<string, Side>();
let classicSkipped: string | null = null;

beforeAll(async () => {
  const isCounting = true;
  for (const side of [
    await startProject({ isCounting }),
    await startLiteral({ isCounting }),
    await startBare(),
  ])
    sides.set(side.name, side);
  const { side, skipped } = await startClassic();
  if (side !== null) sides.set("classic", side as unknown as Side);
  classicSkipped = skipped;
}, 300_000);
afterAll(async () => await Promise.all([...sides.values()].map((side) => side.stop())), 60_000);

let numbers = 0;

async function send(side: Side, { method, path, headers = {}, body }: Asked) {
  numbers += 1;
  const filled = (text: string) => text.replaceAll("%d", `-${numbers}`);
  // Node's fetch would send `no-cache` beside `If-None-Match`, which Express answers in full.
  const response = await fetch(side.url + filled(path), {
    method,
    headers: { "Cache-Control": "max-age=0", ...headers },
    ...(body === undefined ? {} : { body: filled(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text === "" ? null : JSON.parse(text),
  };
}

const sideOf = (name: string) => sides.get(name) as Side;
const workloadOf = (side: Side, name: string) => {
  const workload = side.workloads.get(name);
  if (workload === undefined) throw new Error(`no workload ${name}`);
  return workload as { readonly requests: readonly Asked[]; readonly isCold?: boolean };
};
const firstOf = (side: Side, name: string) => workloadOf(side, name).requests[0] as Asked;

/** What each workload's requests are answered with, and what of an answer differs from run to run. */
const ANSWERS: Readonly<Record<string, { status: number; varying?: RegExp }>> = {
  hot: { status: 200 },
  "not-modified": { status: 304 },
  cold: { status: 200 },
  list: { status: 200, varying: /"nextCursor":"[^"]+"/g },
  patch: { status: 200, varying: /"updatedAt":"[^"]+"|"version":\d+/g },
  "sign-up": { status: 201, varying: /"(?:id|createdAt|updatedAt|email)":"[^"]+"/g },
  order: { status: 201, varying: /"(?:id|createdAt|updatedAt)":"[^"]+"/g },
  graphql: { status: 200 },
  rpc: { status: 200 },
  login: { status: 200, varying: /"(?:accessToken|refreshToken)":"[^"]+"|"expiresIn":\d+/g },
};

/** In the order of the names, for sides that write the fields in another order say the same. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, plain(each)]),
  );
}

describe("the same answers", () => {
  test("classic is there, or it is said what the machine lacks", () => {
    expect(sides.has("classic") || /not installed|no user|no build/.test(classicSkipped ?? "")).toBe(true);
  });

  test.each(Object.entries(ANSWERS))("%s", async (name, { status, varying }) => {
    const able = [...sides.values()].filter(
      (side) => side.name !== "bare" && !(side.name === "classic" && name === "rpc"),
    );
    const said = new Map<string, unknown>();
    for (const side of able) {
      const answer = await send(side, firstOf(side, name));
      expect(answer.status, `${side.name}: ${answer.text}`).toBe(status);
      const text = varying === undefined ? answer.text : answer.text.replaceAll(varying, '"varying":0');
      said.set(side.name, text === "" ? null : plain(JSON.parse(text)));
    }
    for (const side of able.slice(1)) expect(said.get(side.name), side.name).toEqual(said.get("project"));
  });
});

describe("the same requests", () => {
  const mixOf = (name: string) => workloadOf(sideOf(name), "mix").requests;
  const without = ({ headers, ...asked }: Asked) => {
    const { Authorization: _, ...others } = headers ?? {};
    return { ...asked, headers: others };
  };

  test("each side is asked the same, but for its tokens", () => {
    const names = [...sideOf("project").workloads.keys()];
    expect(names).toEqual([...Object.keys(ANSWERS).slice(0, 2), "mix", ...Object.keys(ANSWERS).slice(2)]);
    for (const side of sides.values())
      for (const name of names)
        expect(workloadOf(side, name).requests.map(without), `${side.name}: ${name}`).toEqual(
          workloadOf(sideOf("project"), name).requests.map(without),
        );
  });

  test("of a hundred requests of the mix 90 read oneself, 8 somebody else, 2 change oneself, and everybody does so", () => {
    const changed = new Set(
      mixOf("project").flatMap(({ method, path }) => (method === "PATCH" ? [path] : [])),
    );
    expect(changed.size).toBe(64);
    for (let from = 0; from < 1_000; from += 100) {
      const hundred = mixOf("project").slice(from, from + 100);
      const writes = hundred.filter(({ method }) => method === "PATCH").length;
      const hot = hundred.filter(({ method, path }) => method === "GET" && changed.has(path)).length;
      expect([hot, 100 - hot - writes, writes]).toEqual([90, 8, 2]);
    }
  });

  test("no user is read cold twice in a row of twenty thousand, nor by the mix at all", () => {
    const { requests, isCold } = workloadOf(sideOf("project"), "cold");
    expect(isCold).toBe(true);
    expect(new Set(requests.map(({ path }) => path)).size).toBe(20_000);
    const selves = new Set(
      mixOf("project").flatMap(({ method, path }) => (method === "PATCH" ? [path] : [])),
    );
    const others = mixOf("project").flatMap(({ path }) => (selves.has(path) ? [] : [path]));
    expect(others.length).toBeGreaterThan(9_000);
    expect(new Set(others).size).toBe(others.length);
  });

  test("the first thousand of the mix are answered, by every side that has a store", async () => {
    for (const side of sides.values()) {
      if (side.name === "bare") continue;
      const statuses = new Set<number>();
      for (const asked of mixOf(side.name).slice(0, 1_000)) statuses.add((await send(side, asked)).status);
      expect([...statuses], side.name).toEqual([200]);
    }
  }, 120_000);
});

describe("what is paid for", () => {
  const ASKED = 200;

  async function countsOf(side: Side, name: string, count = ASKED) {
    const asked = firstOf(side, name);
    // What has to be found is found by now.
    for (let turn = 0; turn < 20; turn += 1) await send(side, asked);
    const before = await settled(side);
    for (let turn = 0; turn < count; turn += 1) await send(side, asked);
    const after = await settled(side);
    return (counted: string) => (after[counted] ?? 0) - (before[counted] ?? 0);
  }

  /** Once what follows an answer is over. */
  async function settled(side: Side): Promise<Record<string, number>> {
    for (;;) {
      const before = await side.counts();
      await new Promise((resolve) => setTimeout(resolve, 200));
      const after = await side.counts();
      if (JSON.stringify(before) === JSON.stringify(after)) return after;
    }
  }

  test("a hot read of the project: one call to the limiter in ten, no D1, and KV now and then", async () => {
    const paid = await countsOf(sideOf("project"), "hot");
    // A full lease is ten. One more begins small at the turn of a minute, and the load may pass one or two.
    expect(paid("ask")).toBeGreaterThanOrEqual(ASKED / 10 - 2);
    expect(paid("ask")).toBeLessThanOrEqual(ASKED / 10 + 8);
    expect(paid("d1Queries")).toBe(0);
    // Memory answers for five seconds.
    expect(paid("kvReads")).toBeLessThan(ASKED / 10);
  });

  test("a hot read of literal: a call to the counter and a read of KV each, no D1", async () => {
    const paid = await countsOf(sideOf("literal"), "hot");
    expect([paid("hit"), paid("kvReads"), paid("d1Queries")]).toEqual([ASKED, ASKED, 0]);
  });

  test("a cold read asks D1 on both", async () => {
    for (const name of ["project", "literal"]) {
      const side = sideOf(name);
      const before = await settled(side);
      for (const asked of workloadOf(side, "cold").requests.slice(5_000, 5_020)) await send(side, asked);
      const after = await settled(side);
      expect((after.d1Queries ?? 0) - (before.d1Queries ?? 0), name).toBe(20);
    }
  });

  test("a change of literal deletes its entry and sends its event, once each; that of the project comes with deliveries", async () => {
    const literal = await countsOf(sideOf("literal"), "patch", 10);
    expect([literal("d1Queries"), literal("kvDeletes"), literal("queueMessages")]).toEqual([10, 10, 10]);
    const project = await countsOf(sideOf("project"), "patch", 10);
    expect(project("kvDeletes")).toBe(0);
    expect(project("kvWrites")).toBeGreaterThanOrEqual(10);
    expect(project("d1RowsWritten")).toBeGreaterThan(literal("d1RowsWritten"));
  });

  test("the caches are emptied before a cold run: what was hot asks D1 again", async () => {
    const side = sideOf("literal");
    await send(side, firstOf(side, "hot"));
    const before = await settled(side);
    await side.clearKv();
    await send(side, firstOf(side, "hot"));
    const after = await settled(side);
    expect((after.d1Queries ?? 0) - (before.d1Queries ?? 0)).toBe(1);
  });
});

describe("bare", () => {
  test("answers with the bytes and the headers of a hot read, and knows nobody", async () => {
    const [bare, project] = [
      await send(sideOf("bare"), firstOf(sideOf("bare"), "hot")),
      await send(sideOf("project"), firstOf(sideOf("project"), "hot")),
    ];
    expect(Object.keys(bare.body as object)).toEqual(Object.keys(project.body as object));
    expect(Math.abs(bare.text.length - project.text.length)).toBeLessThan(20);
    const names = (headers: Headers) => [...headers.keys()].sort();
    expect(names(bare.headers)).toEqual(names(project.headers));
  });
});
