/** `npm test` stays short because `npm run judge` runs the long tests. No test file may fall between the two. */
import { globSync } from "node:fs";
import { matchesGlob } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { runScript } from "../../scripts/tools.mjs";

interface Project {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude?: readonly string[];
}

afterEach(() => vi.unstubAllEnvs());

/** The projects of vitest.config.ts, as `npm test` sees them or as a judge does. */
async function projectsOf(runner: "npm test" | "judge"): Promise<readonly Project[]> {
  vi.stubEnv("JUDGE", runner === "judge" ? "yes" : undefined);
  vi.resetModules();
  const { default: config } = await import("../../vitest.config.ts");
  return config.test?.projects?.map((project) => (project as { test: Project }).test) ?? [];
}

test("npm test runs three projects, and a judge has one more", async () => {
  const names = (projects: readonly Project[]) => projects.map(({ name }) => name);
  expect(names(await projectsOf("npm test"))).toEqual(["unit", "workerd", "e2e"]);
  expect(names(await projectsOf("judge"))).toEqual(["unit", "workerd", "e2e", "judge"]);
});

test("each test file belongs to one project", async () => {
  const projects = await projectsOf("judge");
  const holds = (globs: readonly string[], file: string) => globs.some((glob) => matchesGlob(file, glob));
  for (const file of globSync("test/**/*.test.ts")) {
    const owners = projects.filter(
      ({ include, exclude = [] }) => holds(include, file) && !holds(exclude, file),
    );
    expect(
      owners.map(({ name }) => name),
      file,
    ).toHaveLength(1);
  }
});

test("npm run judge lists its names, and refuses one that there is not", async () => {
  const listed = await runScript("scripts/judge.mjs", []);
  expect(listed).toMatchObject({ code: 0, output: expect.stringContaining("kills") });
  const refused = await runScript("scripts/judge.mjs", ["kils"]);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(/^There is no judge kils\. Names: .*\n$/);
});
