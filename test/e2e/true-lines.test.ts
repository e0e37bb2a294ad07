/** A test that fails in workerd names the lines that its author wrote, not those of the compiled file. */
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { runTool } from "../../scripts/tools.mjs";

const FOLDER = "test/e2e/true-lines";
let output = "";
beforeAll(async () => {
  const run = await runTool("vitest", ["run", "--root", ".", "--config", `${FOLDER}/vitest.config.ts`]);
  output = run.output;
  expect(run.code, output).toBe(1);
}, 120_000);

/** `file:line:column` of a text in a file. */
function placeOf(file: string, text: string): RegExp {
  const lines = readFileSync(file, "utf8").split("\n");
  const index = lines.findIndex((line) => line.includes(text));
  expect(index).toBeGreaterThan(0);
  return new RegExp(`${file.replaceAll(".", "\\.")}:${index + 1}:\\d+`);
}

test.each(["unit", "workerd"])(
  "in the %s project: an assertion, and an error thrown in the source",
  (project) => {
    const file = `${FOLDER}/${project}.fails.ts`;
    expect(output).toMatch(placeOf(file, "expect(shape.size).toBe(2)"));
    expect(output).toMatch(placeOf(file, "await new PasswordHasher"));
    expect(output).toMatch(placeOf("src/platform/password-hasher.ts", "throw new TypeError("));
  },
);
