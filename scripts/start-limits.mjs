/** Judges the start of the Worker, and says what to do when it has become too large. */
import { START_BYTES_MAX, START_CALLS_MAX } from "./upload.mjs";

const INPUTS_SHOWN = 10;

/**
 * @param {{startBytes: number, startCalls: number}} upload
 * @returns {string[]} a line for each broken limit
 */
export function overLimits({ startBytes, startCalls }) {
  return [
    startBytes > START_BYTES_MAX && `The start chunk is ${startBytes - START_BYTES_MAX} bytes too large.`,
    startCalls > START_CALLS_MAX && `The start makes ${startCalls - START_CALLS_MAX} calls too many.`,
  ].filter((line) => line !== false);
}

/**
 * Lists the largest inputs of the start chunk with their growth, and what can be done about them.
 *
 * @param {ReadonlyMap<string, number>} inputs minified bytes by package or file
 * @param {Readonly<Record<string, number>>} recorded the same, when the sizes were last recorded
 * @returns {string[]}
 */
export function largestInputs(inputs, recorded) {
  const rows = [...inputs].sort(([, one], [, other]) => other - one).slice(0, INPUTS_SHOWN);
  const grown = [...inputs]
    .map(([name, bytes]) => [name, bytes - (recorded[name] ?? 0)])
    .filter(([, growth]) => growth > 0)
    .sort(([, one], [, other]) => other - one)
    .slice(0, INPUTS_SHOWN);
  return [
    "",
    "The largest inputs of the start chunk, in minified bytes, and their growth since the sizes were recorded:",
    ...rows.map(([name, bytes]) => row(name, bytes, bytes - (recorded[name] ?? 0))),
    ...(grown.length === 0 ? [] : ["", "What has grown most:"]),
    ...grown.map(([name, growth]) => row(name, inputs.get(name), growth)),
    "",
    "What to do:",
    "  - Load what the first request does not need with `await import()` where it is used, as gateway/graphql/endpoint.ts does.",
    "  - Make schemas and tables on their first call, with kernel/on-first-call.ts: that saves calls.",
    "  - Look for a smaller library in place of one that has grown.",
    "  - When the growth is worth it, raise the limit in scripts/upload.mjs, with the reason in decision 0100.",
  ];
}

function row(name, bytes, growth) {
  const change = growth === 0 ? "" : `${growth > 0 ? "+" : ""}${growth}`;
  return `  ${String(bytes).padStart(8)}  ${change.padStart(7)}  ${name}`;
}
