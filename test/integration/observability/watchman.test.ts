import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { FIGURES, type Figures } from "../../../src/jobs/alerts/figures";
import { Watchman } from "../../../src/jobs/alerts/watchman";
import { wireCron } from "../../../src/jobs/index";
import { configOf } from "../../../src/platform/env";
import { alertShelf, type Notice } from "../../../src/platform/observability/alerts";
import { createLogger } from "../../../src/platform/observability/logger";
import { addToShard } from "../../../src/platform/observability/metrics";
import { testScope } from "../../support/scope";

const MINUTE = 60_000;

let now = 0;
let figures: Figures;
let told: Notice[] = [];
let isDeaf = false;

const watchman = () =>
  new Watchman({
    shelf: alertShelf(env),
    // The sweep runs each minute.
    measure: async () => ({ ...figures, sweeps: now / MINUTE }),
    notify: async (notice) => {
      if (isDeaf) throw new Error("the receiver is away");
      told.push(notice);
    },
    scope: { clock: () => now, log: createLogger("error") },
  });

async function minutes(count: number): Promise<string[]> {
  told = [];
  for (let tick = 0; tick < count; tick += 1) {
    now += MINUTE;
    await watchman().run();
  }
  return told.map(({ alert, status }) => `${alert} ${status}`);
}

beforeEach(() => {
  now = 1_000 * MINUTE;
  figures = Object.fromEntries(FIGURES.map((name) => [name, 0])) as Figures;
  isDeaf = false;
});

test("a fault is told once while it lasts, and once when it is over", async () => {
  expect(await minutes(3)).toEqual([]);
  figures.isD1Down = 1;
  expect(await minutes(1)).toEqual([]);
  expect(await minutes(1)).toEqual(["DependencyDown firing"]);
  expect(await minutes(30)).toEqual([]);
  figures.isD1Down = 0;
  expect(await minutes(2)).toEqual([]);
  expect(await minutes(1)).toEqual(["DependencyDown resolved"]);
  expect(await minutes(10)).toEqual([]);
});

test("a fault that flickers is not told again and again", async () => {
  figures.isD1Down = 1;
  await minutes(2);
  const heard: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    figures.isD1Down = 0;
    heard.push(...(await minutes(1)));
    figures.isD1Down = 1;
    heard.push(...(await minutes(1)));
  }
  expect(heard).toEqual([]);
});

test("the keeper's eviction forgets neither the fault nor that it was told", async () => {
  figures.isD1Down = 1;
  expect(await minutes(2)).toEqual(["DependencyDown firing"]);
  await evictDurableObject(env.ALERTS.getByName("alerts"));
  expect(await minutes(5)).toEqual([]);
});

test("what could not be told is told when the receiver is back, under the same id", async () => {
  figures.isD1Down = 1;
  isDeaf = true;
  expect(await minutes(5)).toEqual([]);
  isDeaf = false;
  expect(await minutes(1)).toEqual(["DependencyDown firing"]);
  expect(told[0]?.id).toBe(`DependencyDown:${1_002 * MINUTE}:firing`);
});

test("of two ticks at once one tells", async () => {
  figures.isD1Down = 1;
  await minutes(1);
  told = [];
  now += MINUTE;
  await Promise.all([watchman().run(), watchman().run()]);
  expect(told.map(({ status }) => status)).toEqual(["firing"]);
});

test("an alert whose rule was removed is resolved", async () => {
  const shelf = alertShelf(env);
  const book = await shelf.read();
  const removed = { holdsTicks: 9, quietTicks: 0, firingSinceMs: 5, summary: "Old." };
  await shelf.write({ ...book, revision: book.revision + 1, alerts: { Removed: removed } });
  expect(await minutes(3)).toEqual(["Removed resolved"]);
  expect(Object.keys((await shelf.read()).alerts)).not.toContain("Removed");
});

test("the Worker's own watchman sees what isolates have counted, and mails ALERT_TO", async () => {
  const config = { ...configOf(env), ALERT_TO: "operators@example.com" };
  const scope = testScope(() => now);
  const mailed: { to: unknown; subject: unknown }[] = [];
  const EMAIL = {
    send: async ({ to, subject }: { to: unknown; subject: unknown }) => void mailed.push({ to, subject }),
  };
  const own = async () =>
    (await wireCron({ ...env, EMAIL: EMAIL as unknown as SendEmail }, config, scope)).watchman;
  expect(await (await own()).run()).toEqual({ told: 0, untold: 0 });
  await addToShard(env, {
    source: "01890000-0000-7000-8000-000000000009",
    sequence: 1,
    deltas: [["consumer_attempts_total\nanalytics\ndead", 1]],
  });
  now += MINUTE;
  expect(await (await own()).run()).toEqual({ told: 1, untold: 0 });
  expect(mailed).toEqual([{ to: "operators@example.com", subject: "[firing] DeadLetters" }]);
});

test("nothing is measured or told while nobody wants to be", async () => {
  const scope = testScope(() => now);
  const cron = await wireCron(env, { ...configOf(env), ALERT_TO: "" }, scope);
  expect(await cron.watchman.run()).toEqual({ told: 0, untold: 0 });
  expect((await alertShelf(env).read()).revision).toBe(0);
});
