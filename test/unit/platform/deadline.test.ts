import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withDeadline } from "../../../src/platform/deadline";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const late = () => new Error("late");
const after = <T>(ms: number, value: T) =>
  new Promise<T>((resolve) => void setTimeout(() => resolve(value), ms));

test("work that ends in time gives its value, and its timer is gone", async () => {
  const waiting = withDeadline(after(99, "done"), 100, late);
  await vi.advanceTimersByTimeAsync(99);
  expect(await waiting).toBe("done");
  expect(vi.getTimerCount()).toBe(0);
});

test("work that takes longer is given up with the caller's error, which is made then and not before", async () => {
  const make = vi.fn(late);
  const waiting = withDeadline(after(101, "done"), 100, make);
  const outcome = expect(waiting).rejects.toThrow("late");
  await vi.advanceTimersByTimeAsync(99);
  expect(make).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await outcome;
  expect(make).toHaveBeenCalledOnce();
});

test("work that fails in time fails with its own error, and its timer is gone", async () => {
  await expect(withDeadline(Promise.reject(new Error("own")), 100, late)).rejects.toThrow("own");
  expect(vi.getTimerCount()).toBe(0);
});
