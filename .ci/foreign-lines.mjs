/**
 * `node .ci/foreign-lines.mjs <log>`: prints the lines of a passed `npm test` that are not results, and ends with 1 when
 * there is one. A run that always warns hides the warning that matters.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

/** What vitest's default reporter prints of a run without failures. */
const RESULTS = [
  /^$/,
  /^ RUN {2}v\S+ \S+$/,
  // A file with its project, which is framed by colours or by bars.
  /^ [✓↓] (?: \w+ |\|\w+\|) test\/\S+\.test\.ts \(\d+ tests?\b.*\)/,
  // A test that is slow or skipped, and the suite around it.
  /^ {3,}[✓↓] /,
  /^ +(?:Test Files|Tests|Start at|Duration|Snapshots) {2}/,
  /^JSON report written to /,
];

/**
 * Returns the lines that are not results. What npm prints before the run is not judged.
 *
 * @param {string} output of `npm test`
 * @returns {string[]}
 */
export function foreignLines(output) {
  const lines = stripVTControlCharacters(output).split("\n");
  const start = lines.findIndex((line) => line.startsWith(" RUN "));
  return lines.slice(Math.max(start, 0)).filter((line) => !RESULTS.some((result) => result.test(line)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = foreignLines(readFileSync(process.argv[2], "utf8"));
  process.stdout.write(found.map((line) => `${line}\n`).join(""));
  process.exitCode = found.length === 0 ? 0 : 1;
}
