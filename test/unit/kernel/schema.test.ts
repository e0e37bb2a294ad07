import { expect, test } from "vitest";
import * as z from "../../../src/kernel/schema";
import { violationsOf } from "../../../src/kernel/violations";

const person = z.strictObject({
  name: z.string().check(z.minLength(3), z.maxLength(5)),
  age: z.optional(z.int().check(z.minimum(1), z.maximum(150))),
  tags: z.optional(z.array(z.string()).check(z.minLength(1))),
  role: z.optional(z.enum(["user", "admin"])),
  id: z.optional(z.uuid()),
  code: z.optional(z.string().check(z.regex(/^[a-z]+$/))),
});

function violationIn(input: unknown) {
  const parsed = person.safeParse(input);
  return parsed.success ? [] : violationsOf(parsed.error.issues);
}

const name = "Ada";

test.each<[string, object, object]>([
  [
    "a field that is missing",
    {},
    { pointer: "#/name", code: "required", message: "This field is required." },
  ],
  ["null for a text", { name: null }, { code: "invalid_type", message: /expected string, received null$/ }],
  [
    "a list for a text",
    { name: ["x"] },
    { code: "invalid_type", message: /expected string, received array$/ },
  ],
  ["a text that is too short", { name: "A" }, { code: "too_short", message: /expected >=3 characters$/ }],
  ["one that is too long", { name: "Augusta" }, { code: "too_long", message: /expected <=5 characters$/ }],
  ["a number that is too small", { name, age: 0 }, { code: "too_small", message: /expected >=1$/ }],
  ["an empty list", { name, tags: [] }, { code: "too_short", message: /expected >=1 items$/ }],
  ["an unknown word", { name, role: "x" }, { code: "invalid_value", message: /one of "user"\|"admin"$/ }],
  ["a bad id", { name, id: "x" }, { code: "invalid_format", message: /^Invalid uuid$/ }],
  [
    "a text of another pattern",
    { name, code: "A1" },
    { code: "invalid_format", message: /pattern .*\[a-z\]/ },
  ],
  ["an unknown field", { name, x: 1 }, { pointer: "#/x", code: "unknown_field" }],
])("%s is told by its code and in a sentence, and never with its value", (_, input, expected) => {
  const { message, ...rest } = expected as { message?: string | RegExp };
  const [violation] = violationIn(input);
  expect(violation).toMatchObject(rest);
  if (message !== undefined) expect(violation?.message).toMatch(message);
});
