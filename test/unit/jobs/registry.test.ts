import { expect, test } from "vitest";
import { CONSUMERS } from "../../../scripts/admin-statements.mjs";
import { consumersOf, delaySecondsOf } from "../../../src/jobs/registry";

test("the admin script knows each consumer of user.updated and its rest", () => {
  const registered = consumersOf("user.updated").map((name) => ({
    name,
    delaySeconds: delaySecondsOf(name),
  }));
  expect(CONSUMERS).toEqual(registered);
});
