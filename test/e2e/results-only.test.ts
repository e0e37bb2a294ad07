/** `.ci/run` fails when a passing run of the tests prints other lines than results: what it takes for a result. */
import { expect, test } from "vitest";
import { foreignLines } from "../../.ci/foreign-lines.mjs";

const PASSED = `
> meridian@0.1.0 test
> node scripts/test.mjs --reporter=default

Installing dependencies from the lock file (once, about a minute)

\u001b[1m\u001b[30m\u001b[46m RUN \u001b[49m\u001b[39m\u001b[22m \u001b[36mv5.1.1 \u001b[39m/home/ada/meridian

 \u001b[32m✓\u001b[39m \u001b[30m\u001b[42m unit \u001b[49m\u001b[39m test/unit/ids.test.ts \u001b[2m(1 test)\u001b[22m 1ms
 ✓ |e2e| test/e2e/client.test.ts (3 tests | 1 skipped) 31102ms
   ✓ the client (3)
     ✓ in Node 27211ms
     ↓ in Deno

 Test Files  2 passed (2)
      Tests  3 passed | 1 skipped (4)
   Start at  21:17:12
   Duration  68.78s (tests 79%, transform 17%, import 4%)

JSON report written to /home/ada/tests.json
`;

test("results are no foreign lines, in colour or without", () => {
  expect(foreignLines(PASSED)).toEqual([]);
});

test.each([
  "uncaught exception; source = Uncaught (in promise); stack = Error: Application called deleteAllDurableObjects().",
  "Using secrets defined in process.env",
  'Sourcemap for "/home/ada/meridian/node_modules/one/index.js" points to missing source files',
  '{"level":"info","event":"request","status":201}',
  "stdout | test/integration/users.test.ts > a user signs up",
  "(node:42) ExperimentalWarning: SQLite is an experimental feature",
])("%s", (line) => {
  const output = PASSED.replace("\n Test Files", `\n${line}\n Test Files`);
  expect(foreignLines(output)).toEqual([line]);
});
