import { expect, test } from "vitest";
import { lazily } from "../../../src/kernel/lazily";

interface Given {
  readonly base: number;
}
interface Made {
  readonly doubled: { readonly value: number };
  readonly sum: number;
  readonly never: number;
}

test("a member is made once, when it is first asked for, out of what is given and of other members", () => {
  const made: string[] = [];
  const of = lazily<Given, Made>({
    sum: ({ base, doubled }) => base + doubled.value,
    doubled: ({ base }) => {
      made.push("doubled");
      return { value: 2 * base };
    },
    never: () => {
      throw new Error("nobody asked");
    },
  });
  const first = of({ base: 1 });
  expect(made).toEqual([]);
  expect(first.sum).toBe(3);
  expect(first.doubled).toBe(first.doubled);
  expect(made).toEqual(["doubled"]);
  expect(of({ base: 5 }).sum).toBe(15);
});
