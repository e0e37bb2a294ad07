/** A copy of the project that a test may edit and run, with the installed packages of this one. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { nodeBinary, ROOT, toolEnvironment } from "../../scripts/tools.mjs";
import { watchProcess } from "./server-output";

const FILES = [
  ...["package.json", "package-lock.json", "wrangler.toml", "tsconfig.json", "schema.graphql"],
  ...["src", "contract", "drizzle", "migrations", "scripts", "public", "client"],
];

/** @returns the folder; `remove` deletes it */
export function copyProject(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "meridian-copy-"));
  for (const name of FILES) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  linkPackages(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Links each package by itself. A link to the whole folder would let an installation in the copy empty the original. */
function linkPackages(from: string, to: string): void {
  mkdirSync(to);
  cpSync(join(from, ".package-lock.json"), join(to, ".package-lock.json"));
  for (const name of readdirSync(from)) {
    if (![".package-lock.json", ".cache", ".vite"].includes(name))
      symlinkSync(join(from, name), join(to, name));
  }
}

export interface StartedProject {
  readonly base: string;
  /** What the terminal has shown so far. */
  readonly output: () => string;
  stop(): Promise<void>;
}

/** Runs `npm start`'s script in a copy, and waits until it answers. */
export async function startProject(folder: string, args: readonly string[] = []): Promise<StartedProject> {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const script = join(folder, "scripts/start.mjs");
  const child = spawn(nodeBinary(), [script, "--port", String(port), ...args], {
    cwd: folder,
    env: { ...toolEnvironment(), NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const output = watchProcess(child);
  const base = `http://127.0.0.1:${port}`;
  const stop = () => endGroup(child);
  try {
    await vi.waitFor(
      async () => {
        if (child.exitCode !== null || !output().includes(" after ")) throw new Error(output());
        await fetch(base);
      },
      { timeout: 55_000, interval: 200 },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { base, output, stop };
}

/** Ends the script, which ends its server; then whatever is left of its process group. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  await ended;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group has ended.
  }
}
