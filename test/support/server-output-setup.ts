/** Runs with each file of tests from outside: it fails when a server has printed a secret. */
import { afterAll, expect } from "vitest";
import { leaksPrinted } from "./server-output.ts";

// Hooks run in the reverse of their order, so the file's own have stopped its servers by now.
afterAll(() => {
  expect(leaksPrinted(), "secrets in the output of servers").toEqual([]);
});
