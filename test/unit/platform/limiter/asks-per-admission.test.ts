import { expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../../support/limiter";
import { Planet } from "../../../support/limiter-planet";
import { VirtualTime } from "../../../support/virtual-time";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

interface Client {
  readonly name: string;
  readonly requests: number;
  readonly gapMs: number;
}

const CLIENTS: readonly Client[] = [
  { name: "burst: 100 at once", requests: 100, gapMs: 0 },
  { name: "brisk: 80 in 80 s, then rest", requests: 80, gapMs: SECOND },
  { name: "steady: 1 in 20 s for 2 h", requests: 360, gapMs: 20 * SECOND },
  { name: "at the limit: 1 in 10 s for 2 h", requests: 720, gapMs: 10 * SECOND },
  { name: "idle: 1 in 20 min for 20 h", requests: 60, gapMs: 20 * MINUTE },
];

/** Requests go round the isolates, the way a client's connections do that end in different places. */
async function asksOf(
  client: Client,
  isolates: number,
): Promise<{ asks: number; admissions: number; refusals: number }> {
  const time = new VirtualTime(1_700_000_040_000);
  const planet = new Planet({ time, policy: DEFAULT_POLICY, isolates });
  for (let index = 0; index < client.requests; index += 1) {
    void planet.request(index);
    await time.run(time.now + client.gapMs);
  }
  await time.run();
  return { asks: planet.asks, admissions: planet.admissions, refusals: planet.refusals };
}

test("asks per admission of a burst, a brisk, a steady and an idle client over 1, 3 and 8 isolates are as stated", async () => {
  const rows: string[] = [];
  for (const client of CLIENTS) {
    const cells: string[] = [];
    for (const isolates of [1, 3, 8]) {
      const { asks, admissions, refusals } = await asksOf(client, isolates);
      expect(refusals).toBe(0);
      expect(admissions).toBe(client.requests);
      cells.push(`${asks}/${admissions}`);
    }
    rows.push([client.name, ...cells].join(" | "));
  }
  expect(rows).toEqual([
    "burst: 100 at once | 2/100 | 6/100 | 16/100",
    "brisk: 80 in 80 s, then rest | 12/80 | 18/80 | 37/80",
    "steady: 1 in 20 s for 2 h | 121/360 | 360/360 | 360/360",
    "at the limit: 1 in 10 s for 2 h | 227/720 | 363/720 | 720/720",
    "idle: 1 in 20 min for 20 h | 60/60 | 60/60 | 60/60",
  ]);
});

test("an isolate that alone serves a client briskly asks once per full lease, after four asks to get there", async () => {
  const time = new VirtualTime(1_700_000_040_000);
  const planet = new Planet({ time, policy: { ...DEFAULT_POLICY, limit: 1_000, leaseMax: 10 }, isolates: 1 });
  for (let index = 0; index < 515; index += 1) {
    void planet.request(0);
    await time.run(time.now + 100);
  }
  // 1 + 2 + 4 + 8 = 15, then 50 leases of ten, and the next, which was asked for before the last was spent.
  expect(planet.admissions).toBe(515);
  expect(planet.asks).toBe(4 + 50 + 1);
});

test("a client that spends full leases never waits for the object again, and the asks become no more for it", async () => {
  const time = new VirtualTime(1_700_000_040_000);
  const planet = new Planet({ time, policy: { ...DEFAULT_POLICY, limit: 1_000, leaseMax: 10 }, isolates: 1 });
  planet.transit = { ...planet.transit, thereMs: 40, backMs: 40 };
  for (let index = 0; index < 315; index += 1) {
    void planet.request(0);
    await time.run(time.now + 100);
  }
  // For 1, 2, 4, 8 and the first full lease; each from there on was asked for ahead, the one after the last too.
  expect(planet.waits).toBe(5);
  expect(planet.asks).toBe(4 + 30 + 1);
  expect(planet.admissions).toBe(315);
});

test("a budget that nears its end is not leased ahead", async () => {
  const time = new VirtualTime(1_700_000_040_000);
  const planet = new Planet({ time, policy: DEFAULT_POLICY, isolates: 1 });
  for (let index = 0; index < 100; index += 1) {
    void planet.request(0);
    await time.run(time.now + 100);
  }
  expect(planet.admissions).toBe(100);
  expect(planet.refusals).toBe(0);
});
