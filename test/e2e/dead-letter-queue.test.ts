import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEAD_LETTER_QUEUE } from "../../src/jobs/queue";

test("the Worker knows its dead letters by the ending that a deployment checks", () => {
  const script = readFileSync("scripts/deploy/dead-letters.mjs", "utf8");
  const ending = /const ENDING = "([^"]+)";/.exec(script)?.[1] ?? "";
  expect(ending).not.toBe("");
  expect(DEAD_LETTER_QUEUE.source).toBe(`${ending}$`);
});
