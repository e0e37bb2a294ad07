/**
 * Ends a process with all of its descendants. `wrangler dev` starts workerd in the same process group as everything
 * else, and workerd holds its port when only its parents are ended.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/**
 * The descendants of a process, parents first.
 *
 * @param {number} pid
 * @returns {number[]}
 */
export function descendantsOf(pid) {
  const pairs = readProcesses();
  const found = [pid];
  for (const parent of found) {
    for (const [child, parentOfChild] of pairs) {
      if (parentOfChild === parent && !found.includes(child)) found.push(child);
    }
  }
  return found.slice(1);
}

/** @returns {(readonly [number, number])[]} pid and parent's pid of each process; empty where that cannot be known */
function readProcesses() {
  try {
    if (process.platform === "linux") return readdirSync("/proc").filter(isPid).flatMap(readProc);
    if (process.platform === "win32") return [];
    return execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number));
  } catch {
    return [];
  }
}

/**
 * Who must live for this process to be wanted: the npm that runs it and the shell between them, which outlives npm and
 * passes nothing on. Each is given with the parent that it has now; a change means that the one above was killed.
 *
 * @returns {(readonly [number, number])[]}
 */
export function watchedAncestors() {
  const self = [process.pid, process.ppid];
  if (process.platform !== "linux") return [self];
  const shell = readProc(process.ppid)[0];
  return shell !== undefined && isShell(process.ppid) ? [self, shell] : [self];
}

/** @param {(readonly [number, number])[]} ancestors */
export function areAlive(ancestors) {
  return ancestors.every(([pid, parent]) => {
    const current = pid === process.pid ? process.ppid : readProc(pid)[0]?.[1];
    return current === parent;
  });
}

function isShell(pid) {
  try {
    return ["sh", "dash", "bash", "ash", "busybox"].includes(
      readFileSync(`/proc/${pid}/comm`, "utf8").trim(),
    );
  } catch {
    return false;
  }
}

const isPid = (name) => /^\d+$/.test(name);

/** Returns a process and its parent, on Linux. @returns {(readonly [number, number])[]} empty when it does not run */
export function readProc(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name is in brackets and may hold anything; state and parent follow the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [[Number(pid), Number(fields[1])]];
  } catch {
    return [];
  }
}

/** Sends a signal to each process that still exists. */
export function signalAll(pids, signal) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}

/** On Windows there is no tree to walk from here: the system's own tool ends it. */
export function endTreeOnWindows(pid) {
  if (process.platform !== "win32") return;
  try {
    execFileSync("taskkill", ["/pid", String(pid), "/T", "/F"], { stdio: "ignore" });
  } catch {
    // It has ended.
  }
}
