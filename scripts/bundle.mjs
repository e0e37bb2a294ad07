/**
 * `npm run bundle`: builds the upload and holds its start to two limits: the bytes of the start chunk, and the calls of
 * functions while it is loaded. Both are the same on every machine. The time of a start depends on the machine, so it is
 * printed and not judged.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readArguments } from "./arguments.mjs";
import { runMain } from "./prepare.mjs";
import { largestInputs, overLimits } from "./start-limits.mjs";
import { ROOT } from "./tools.mjs";
import {
  leastStartupMs,
  measureUpload,
  START_BYTES_MAX,
  START_CALLS_MAX,
  STARTUP_MS_MAX,
} from "./upload.mjs";

const RECORD = join(ROOT, "scripts/start-inputs.json");

const { values } = readArguments({
  command: "npm run bundle",
  flags: {
    record: {
      says: "writes the sizes of today to scripts/start-inputs.json, which growth is measured against",
    },
  },
});

await runMain(async () => {
  const upload = await measureUpload();
  say(`start chunk: ${upload.startBytes} bytes gzipped, at most ${START_BYTES_MAX}`);
  say(`start: ${upload.startCalls} calls of functions, at most ${START_CALLS_MAX}`);
  say(`whole upload: ${upload.uploadBytes} bytes gzipped, without a limit of its own`);
  if (values.record) {
    writeFileSync(RECORD, `${JSON.stringify(sorted(upload.startInputs), null, 2)}\n`);
    say("recorded in scripts/start-inputs.json");
  }
  const over = overLimits(upload);
  if (over.length === 0) {
    say(`start: ${(await leastStartupMs()).toFixed(1)} ms on this machine; the goal is ${STARTUP_MS_MAX}`);
    return 0;
  }
  for (const line of over) say(line);
  for (const line of largestInputs(upload.startInputs, JSON.parse(readFileSync(RECORD, "utf8")))) say(line);
  return 1;
});

function sorted(inputs) {
  return Object.fromEntries([...inputs].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
