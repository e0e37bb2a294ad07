/** The projects of `npm test` that run in workerd, over the files of this folder, which fail on purpose. */
import { defineConfig } from "vitest/config";
import { WORKERD_PROJECTS } from "../../../vitest.config.ts";

export default defineConfig({
  test: {
    projects: WORKERD_PROJECTS.map((project) => ({
      ...project,
      test: { ...project.test, include: [`test/e2e/true-lines/${project.test.name}.fails.ts`] },
    })),
  },
});
