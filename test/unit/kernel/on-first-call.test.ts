import { expect, test } from "vitest";
import { onFirstCall } from "../../../src/kernel/on-first-call";

test("it is made by the first call alone, and is the same for every call", () => {
  let times = 0;
  const made = onFirstCall(() => {
    times += 1;
    return { times };
  });
  expect(times).toBe(0);
  expect(made()).toBe(made());
  expect(times).toBe(1);
});

test("what failed to be made is made by the next call", () => {
  let times = 0;
  const made = onFirstCall(() => {
    times += 1;
    if (times === 1) throw new Error("not yet");
    return { times };
  });
  expect(made).toThrow("not yet");
  expect(made()).toEqual({ times: 2 });
});
