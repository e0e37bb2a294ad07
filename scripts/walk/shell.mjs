/** A shell that is typed into, command after command, as a person would: what one sets, the next one has. */
import { spawn, spawnSync } from "node:child_process";

/** Whether `sh` would run this, or wait for more. */
export function isWholeCommand(command) {
  return spawnSync("sh", ["-n"], { input: command, stdio: ["pipe", "ignore", "ignore"] }).status === 0;
}

/**
 * @param {{cwd: string, env: NodeJS.ProcessEnv}} options
 * @returns {{run: (command: string, timeoutMs: number) => Promise<{code: number, stdout: string, stderr: string}>, end: () => void}}
 */
export function openShell({ cwd, env }) {
  // A group of its own: what it has started ends with it.
  const child = spawn("sh", [], { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let notice = () => {};
  let ended = () => {};
  child.once("close", () => ended());
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
    notice();
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  const end = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
  let count = 0;

  /** The mark after each command carries its exit code; a command that takes too long ends the shell. */
  async function run(command, timeoutMs) {
    count += 1;
    stdout = "";
    stderr = "";
    const mark = new RegExp(`\\n<walk ${count}: (\\d+)>\\n$`);
    // Nothing can stop and ask. In braces, which unlike brackets keep what is set.
    child.stdin.write(`{ ${command}\n} </dev/null\nprintf '\\n<walk ${count}: %s>\\n' "$?"\n`);
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        end();
        reject(new Error(`no end after ${timeoutMs / 1000} s`));
      }, timeoutMs);
      notice = () => {
        const found = mark.exec(stdout);
        if (found === null) return;
        clearTimeout(timer);
        resolve({ code: Number(found[1]), stdout: stdout.slice(0, found.index), stderr });
      };
      ended = () => {
        clearTimeout(timer);
        reject(new Error(`the command ended the shell\n${stderr}`));
      };
    });
  }
  return { run, end };
}
