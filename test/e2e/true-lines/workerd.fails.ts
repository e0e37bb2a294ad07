/** Fails on purpose: test/e2e/true-lines.test.ts compares the reported lines with this text. */
import { expect, test } from "vitest";
import { PasswordHasher } from "../../../src/platform/password-hasher";

/** Leaves no line in the compiled file, so that compiled lines and true lines differ. */
interface Shape {
  readonly size: number;
}

test("an assertion fails", () => {
  const shape: Shape = { size: 1 };
  expect(shape.size).toBe(2);
});

test("an error is thrown in src", async () => {
  await new PasswordHasher(() => 0).verify("a password", "no hash");
});
