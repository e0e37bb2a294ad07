import { describe, expect, test } from "vitest";
import { breaksOf } from "../../../support/cache-model/history";
import type { Mechanism } from "../../../support/cache-model/mechanisms";
import { runs } from "../../../support/runs";

const HISTORIES = runs({ short: 1_000, long: 5_000 });
/** A mechanism that is missing shows within so many; mostly within hundreds, a slow reader's within thousands. */
const HISTORIES_TO_CATCH_MAX = 20_000;

describe("in random histories of lagging replicas, late KV locations, slow readers and several isolates", () => {
  test("own writes are read, nothing is older than two minutes, pages and isolates never go back", async () => {
    expect(await firstBreak({ hasFault: false, histories: HISTORIES })).toBeNull();
  }, 120_000);

  test("after one lost message, crash or failure of KV nothing is older than four minutes", async () => {
    expect(await firstBreak({ hasFault: true, histories: HISTORIES })).toBeNull();
  }, 120_000);
});

describe("the laws notice when a mechanism is missing", () => {
  // `firstSeed` saves the search where it is long. All seeds are tried, from there on and then from the first.
  test.each<{ off: Mechanism; hasFault?: boolean; broken: RegExp; firstSeed?: number }>([
    { off: "bookmark-comparison", broken: /own write/ },
    { off: "primary-for-bookmarks", broken: /own write/ },
    { off: "own-bookmarks-only", broken: /own write|bookmark of nobody/ },
    { off: "write-through", broken: /went back/ },
    { off: "tombstone", broken: /was deleted/ },
    { off: "refresh", broken: /s after it was/ },
    { off: "resend", hasFault: true, broken: /s after it was/ },
    { off: "brief-life-of-slow-fills", broken: /s after it was/, firstSeed: 12_877 },
    { off: "brief-life-of-replica-fills", broken: /s after it was/, firstSeed: 3_713 },
    { off: "own-expiry", broken: /s after it was/, firstSeed: 12_925 },
    { off: "memory-age", broken: /s after it was/ },
    { off: "nothing-older-than-known", broken: /went back/ },
    { off: "cursor-bookmark", broken: /page/ },
  ])(
    "$off",
    async ({ hasFault = false, ...on }) => {
      const found = await firstBreak({ ...on, hasFault, histories: HISTORIES_TO_CATCH_MAX });
      expect(found ?? "not caught").toMatch(on.broken);
    },
    120_000,
  );
});

async function firstBreak(on: {
  histories: number;
  hasFault: boolean;
  off?: Mechanism;
  broken?: RegExp;
  firstSeed?: number;
}): Promise<string | null> {
  const { histories, hasFault, off, broken = /./, firstSeed = 1 } = on;
  for (let tried = 0; tried < histories; tried += 1) {
    const seed = ((firstSeed - 1 + tried) % histories) + 1;
    const breaks = await breaksOf({ seed, hasFault, ...(off === undefined ? {} : { off }) });
    const found = breaks.find((text) => broken.test(text));
    if (found !== undefined) return `seed ${seed}: ${found}`;
    // Lets the runner's own timers have a turn.
    if (tried % 200 === 0) await scheduler.wait(0);
  }
  return null;
}
