import { afterEach, expect, test, vi } from "vitest";
import { createApp } from "../../src/gateway/http/app";
import { wire } from "../../src/wiring";
import { answerOfIssuer, UNKNOWN_SUBJECT } from "../support/call-budget/foreign-rows";
import { BUDGET_ROWS } from "../support/call-budget/rows";
import type { Ask, BudgetRow, Scene } from "../support/call-budget/stage";
import { type Counted, type Spent, sendCounted } from "../support/counted-app";

const ROUND_TRIPS_MAX = 2;
/** Whose it is must be known before the call can be made: the one row that takes one more, when it is cold. */
const ROUND_TRIPS_MAX_OF_UNKNOWN = 3;
/** A client that stays is given ten admissions at once. */
const LEASE_GROWN = 12;
const WARM_UPS_MAX = 25;

afterEach(() => {
  vi.unstubAllGlobals();
});

test("no endpoint takes more than two sequential D1 round trips, and docs/call-budget.md says what each takes", async () => {
  const throughNetwork = globalThis.fetch;
  vi.stubGlobal(
    "fetch",
    async (url: string, on: RequestInit) => answerOfIssuer(url) ?? throughNetwork(url, on),
  );
  const lines: string[] = [];
  for (const row of BUDGET_ROWS) {
    const { cold, warm } = await measure(row);
    const coldMax = row.variant === UNKNOWN_SUBJECT ? ROUND_TRIPS_MAX_OF_UNKNOWN : ROUND_TRIPS_MAX;
    for (const [{ response, before }, max] of [
      [cold, coldMax],
      [warm, ROUND_TRIPS_MAX],
    ] as const) {
      expect([nameOf(row), response.status]).toEqual([nameOf(row), row.status]);
      expect([nameOf(row), before.d1RoundTrips <= max]).toEqual([nameOf(row), true]);
    }
    lines.push(lineOf(row, cold, warm));
  }
  await expect(`${HEAD}${lines.join("\n")}\n`).toMatchFileSnapshot("../../docs/call-budget.md");
}, 120_000);

test("every endpoint has a row", () => {
  const rows = new Set(BUDGET_ROWS.map((row) => row.endpoint));
  const routed = createApp(wire).routes.filter(({ method }) => method !== "ALL");
  const endpoints = routed.map(({ method, path }) => `${method} ${path}`);
  const missing = endpoints.filter((endpoint) => !rows.has(endpoint));
  expect([...new Set(missing)]).toEqual([]);
});

const HEAD = `# What each call costs

Calls to the platform's bindings, counted at the bindings by \`test/integration/call-budget.test.ts\`, which fails when this
table is out of date. To rewrite it: \`npm test -- test/integration/call-budget.test.ts -u\`.

*Cold*: the client's first request; nothing in the isolate knows it, nor in KV but where the row says so. *Warm*: the same client again,
with its token verified, its lease held and its user in memory; a write is a new one each time. D1 is *sequential round trips*, with the
number of statements; calls side by side count as one round trip. *After* is what follows the response and nobody waits for: the
cache's put, the event's way to the Queue.

At most two round trips, but for these, which take one more: the first call of a foreign issuer's subject that KV does not know (below; the
test allows it in that row alone), be it that nobody has seen it for 12 hours or ever, when the same trip makes the account; the first
after its role was changed; any with a token while its client's object is silent; a call that is decided anew because another writer
was faster (\`test/integration/lost-races.test.ts\`); under a key, a taken address or SKU that only the commit finds; and of a GraphQL
query each level beyond the second.

| call | | cold: D1 | KV reads | objects | warm: D1 | KV reads | objects | after: D1 | KV writes | Queue |
|---|---|---|---|---|---|---|---|---|---|---|
`;

function lineOf(row: BudgetRow, cold: Counted, warm: Counted): string {
  const before = ({ d1RoundTrips, d1Statements, kvReads, objectCalls }: Spent) => [
    d1RoundTrips === 0 ? "0" : `${d1RoundTrips} (${d1Statements})`,
    kvReads,
    objectCalls,
  ];
  const { after } = warm;
  const afterwards = [
    after.d1RoundTrips === 0 ? "0" : `${after.d1RoundTrips} (${after.d1Statements})`,
    after.kvWrites + warm.before.kvWrites,
    after.queueSends,
  ];
  const cells = [`\`${row.endpoint}\``, row.variant ?? "", ...before(cold.before), ...before(warm.before)];
  return `| ${[...cells, ...afterwards].join(" | ")} |`;
}

async function measure(row: BudgetRow): Promise<{ cold: Counted; warm: Counted }> {
  const scene = await row.scene();
  const { client, ask, overrides } = scene;
  const cold = await send(row, scene, await ask());
  const next = await ask();
  const headers = { ...client, ...next.headers };
  // Until its lease has grown and was just taken anew, so that the next request finds one.
  for (let warmUp = 1; warmUp <= WARM_UPS_MAX; warmUp += 1) {
    const request = new Request("https://meridian.example/api/users/me", { headers: identity(headers) });
    const { before } = await sendCounted(request, overrides);
    if (warmUp > LEASE_GROWN && before.objectCalls > 0) break;
  }
  return { cold, warm: await send(row, scene, next) };
}

function identity({
  Authorization,
  "CF-Connecting-IP": address,
}: Record<string, string>): Record<string, string> {
  return {
    ...(Authorization === undefined ? {} : { Authorization }),
    ...(address === undefined ? {} : { "CF-Connecting-IP": address }),
  };
}

async function send(row: BudgetRow, { client, overrides }: Scene, ask: Ask): Promise<Counted> {
  const [method = "GET"] = row.endpoint.split(" ");
  const headers = new Headers({ ...client, ...ask.headers });
  const body = ask.json === undefined ? null : JSON.stringify(ask.json);
  if (body !== null) headers.set("Content-Type", "application/json");
  return await sendCounted(
    new Request(`https://meridian.example${ask.path}`, { method, headers, body }),
    overrides,
  );
}

function nameOf({ endpoint, variant }: BudgetRow): string {
  return variant === undefined ? endpoint : `${endpoint}, ${variant}`;
}
