/** Runs before each test file in workerd: a test fails when a secret is logged in its time. */
import { afterEach, expect } from "vitest";
import { fileWatch as watch } from "./log-watch";
import { settled } from "./scope";

afterEach(async ({ task }) => {
  await settled();
  const { lines, leaks } = watch.drain();
  if (task.result?.state === "fail") watch.show(lines);
  expect(leaks, "secrets in the log").toEqual([]);
});
