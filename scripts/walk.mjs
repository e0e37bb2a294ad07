/**
 * `npm run walk`: a newcomer's first quarter of an hour. Clones the last commit into a temporary folder, starts it, types
 * each command of README.md as it stands, in order, and holds each answer against the one that README.md shows. Fails
 * where README.md does not tell the truth. With `--url http://localhost:8787` it walks the server that runs there, out of
 * this folder and with an empty database.
 *
 * The one thing that it types differently is the port.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { problemOfUrl, readArguments } from "./arguments.mjs";
import { runMain } from "./prepare.mjs";
import { collect, ROOT, toolEnvironment } from "./tools.mjs";
import { differences } from "./walk/answers.mjs";
import { readInstructions } from "./walk/document.mjs";
import { isWholeCommand, openShell } from "./walk/shell.mjs";

/** A fresh clone installs its dependencies first. */
const READY_WITHIN_MS = 420_000;
const COMMAND_WITHIN_MS = 200_000;
/** How long what happens after an answer may take: mails come by queue. */
const ARRIVAL_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;

/** Commands that this script does not type, with the reason. */
const NOT_TYPED = new Map([
  ["npm start", "is what this walk stands on"],
  ["npm test", "takes minutes, and is a check of its own"],
]);

const {
  values: { url },
} = readArguments({
  command: "npm run walk",
  flags: {
    url: {
      takes: "<address>",
      says: "of a server with an empty database, out of this folder",
      check: problemOfUrl,
    },
  },
});

await runMain(async () => {
  if (url !== undefined) return await walk(ROOT, new URL(url).host);
  const folder = mkdtempSync(join(tmpdir(), "meridian-walk-"));
  try {
    const clone = join(folder, "meridian");
    await cloneInto(clone);
    return await whileServing(clone, (host) => walk(clone, host));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function cloneInto(folder) {
  process.stdout.write("git clone\n");
  const child = spawn("git", ["clone", "--quiet", ROOT, folder], { stdio: ["ignore", "pipe", "pipe"] });
  const { code, output } = await collect(child);
  if (code !== 0) throw new Error(`the clone failed: ${output.trim()}`);
}

/** `npm start` in a process group of its own, which is ended afterwards. */
async function whileServing(folder, work) {
  const port = await freePort();
  process.stdout.write(`npm start -- --port ${port}\n`);
  const server = spawn("npm", ["start", "--", "--port", String(port)], {
    cwd: folder,
    env: cleanEnvironment(),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = collect(server);
  try {
    const isOver = ended.then(({ output }) => {
      throw new Error(`npm start has ended\n${output}`);
    });
    // Heard of below only while it is waited for.
    isOver.catch(() => {});
    await Promise.race([untilReady(`http://localhost:${port}/readyz`), isOver]);
    return await work(`localhost:${port}`);
  } finally {
    signalGroup(server, "SIGTERM");
    await Promise.race([ended, sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
    signalGroup(server, "SIGKILL");
  }
}

/** As a newcomer has it: nothing of the npm that runs this script. */
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
}

function signalGroup({ pid }, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

async function untilReady(url) {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
    if (response?.status === 200) return;
    if (Date.now() > deadline) throw new Error(`${url} does not answer 200`);
    await sleep(300);
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** @returns {Promise<number>} 1 at the first command that does not answer as shown: those that follow build on it */
async function walk(folder, host) {
  const instructions = readInstructions(readFileSync(join(folder, "README.md"), "utf8"), isWholeCommand);
  const shell = openShell({ cwd: folder, env: { ...toolEnvironment(), ...cleanEnvironment() } });
  let typed = 0;
  try {
    for (const instruction of instructions) {
      const title = `README.md:${instruction.line}: ${instruction.command.split("\n")[0]}`;
      const reason = NOT_TYPED.get(instruction.command.replace(/\s+#.*$/, ""));
      if (reason !== undefined) {
        process.stdout.write(`-  ${title}  (not typed: ${reason})\n`);
        continue;
      }
      const wrong = await take(instruction, shell, host);
      process.stdout.write(
        `${wrong.length === 0 ? "✔" : "✘"}  ${title}\n${wrong.map((line) => `   ${line}\n`).join("")}`,
      );
      if (wrong.length > 0) return 1;
      typed += 1;
    }
  } finally {
    shell.end();
  }
  process.stdout.write(`README.md tells the truth: ${typed} commands, each answered as shown.\n`);
  return 0;
}

/** @returns {Promise<string[]>} what is wrong with the answer */
async function take({ command, shown }, shell, host) {
  const deadline = Date.now() + ARRIVAL_WITHIN_MS;
  for (;;) {
    const { code, stdout, stderr } = await shell.run(atHost(command, host), COMMAND_WITHIN_MS);
    const wrong = code === 0 ? differences(shown ?? "", stdout) : [`exit code ${code}\n${stdout}${stderr}`];
    // What only looks at a file may look again.
    if (wrong.length === 0 || !command.startsWith("cat ") || Date.now() > deadline) return wrong;
    await sleep(500);
  }
}

function atHost(command, host) {
  const moved = command.replaceAll("localhost:8787", host);
  return moved === "npm run demo" ? `${moved} -- --url http://${host}` : moved;
}
