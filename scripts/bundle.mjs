/**
 * `npm run bundle`: how large the Worker is as it is uploaded, and what it takes to start. Size and calls are the same on
 * every machine, and have limits that are lowered when they can be, and raised only with a reason. The time is the
 * machine's as well, so it is told and not judged here; `npm run bench` judges it.
 */
import { runMain } from "./prepare.mjs";
import { GZIPPED_BYTES_MAX, leastStartupMs, STARTUP_MS_MAX, weighUpload } from "./upload.mjs";

/** Functions called while the upload is loaded: what makes the start longer, beside what there is to read. */
const CALLS_AT_START_MAX = 14_000;

await runMain(async () => {
  const { gzippedBytes, callsAtStart } = await weighUpload();
  const lines = [
    `bundle: ${gzippedBytes} bytes gzipped, at most ${GZIPPED_BYTES_MAX}`,
    `start-up: ${callsAtStart} calls of functions, at most ${CALLS_AT_START_MAX}`,
    `start-up: ${(await leastStartupMs()).toFixed(1)} ms on this machine, and the goal is ${STARTUP_MS_MAX}`,
  ];
  for (const line of lines) process.stdout.write(`${line}\n`);
  return gzippedBytes <= GZIPPED_BYTES_MAX && callsAtStart <= CALLS_AT_START_MAX ? 0 : 1;
});
