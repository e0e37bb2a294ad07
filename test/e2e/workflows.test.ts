/** The workflows that an adopter's repository runs: they run commands of this project, and give them little to lose. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const CI = readFileSync(".github/workflows/ci.yml", "utf8");
const DEPLOY = readFileSync(".github/workflows/deploy.yml", "utf8");
const SCRIPTS = Object.keys(JSON.parse(readFileSync("package.json", "utf8")).scripts);

function commandsOf(workflow: string): string[] {
  return [...workflow.matchAll(/\bnpm (?:run )?[a-z][a-z:-]*[^\n]*/g)].map(([command]) => command);
}

test.each([
  ["ci.yml", CI],
  ["deploy.yml", DEPLOY],
])("%s runs only commands that there are, and reads the repository only", (_, workflow) => {
  const commands = commandsOf(workflow);
  const names = commands.map((command) => /^npm (?:run )?([a-z:-]+)/.exec(command)?.[1]);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !SCRIPTS.includes(name ?? ""))).toEqual([]);
  expect(workflow).toMatch(/^permissions:\n {2}contents: read$/m);
  expect(workflow).not.toMatch(/pull_request_target|: write\b/);
});

test("CI runs the README's test command, and the checks", () => {
  const [, command = ""] = /^(npm test) +#/m.exec(readFileSync("README.md", "utf8")) ?? [];
  expect(commandsOf(CI)).toEqual(expect.arrayContaining([command, "npm run check"]));
});

test("what a person enters reaches the shell as a variable, never as code", () => {
  const scripts = [...DEPLOY.matchAll(/^ +- run: .*$|^ +run: \|\n(?: {10}.*\n)+/gm)].map(([text]) => text);
  expect(scripts.some((text) => text.includes("npm run deploy"))).toBe(true);
  expect(scripts.filter((text) => text.includes("${{"))).toEqual([]);
});
