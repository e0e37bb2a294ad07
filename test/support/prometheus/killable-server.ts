/** The Worker as built in a process of its own, with its state on disk and a mail service that can fail. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { buildWorker } from "../../../scripts/build.mjs";
import { nodeBinary, ROOT, toolEnvironment } from "../../../scripts/tools.mjs";
import { TEST_SECRETS } from "../secrets";
import { watchProcess } from "../server-output";

export class KillableServer {
  readonly #work = mkdtempSync(join(tmpdir(), "meridian-observed-"));
  #bundle = "";
  #child: ChildProcess | undefined;
  #mailService: Server | undefined;
  isMailDown = false;
  url = "";

  /** Builds, migrates and starts. */
  async open(vars: Readonly<Record<string, string>> = {}): Promise<void> {
    // Inside the project, for workerd takes no module from outside the directory that it runs in.
    const cache = join(ROOT, "node_modules/.cache");
    mkdirSync(cache, { recursive: true });
    this.#bundle = mkdtempSync(join(cache, "observed-"));
    await buildWorker({ outdir: this.#bundle });
    this.#mailService = await listen((isDown) => (isDown ? 500 : 200), this);
    const { port } = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    this.#options = {
      bundle: this.#bundle,
      persist: join(this.#work, "state"),
      port,
      mailUrl: `http://127.0.0.1:${portOf(this.#mailService)}/`,
      vars: {
        ...TEST_SECRETS,
        // A deployed build refuses an address of this machine.
        PUBLIC_URL: "https://meridian.example",
        ...{ RATE_LIMIT_MAX: "1000000", LOG_LEVEL: "error" },
        ...vars,
      },
    };
    // The first start makes the database's file; it is migrated while nobody holds it.
    await this.start();
    await fetch(`${this.url}/readyz`);
    await this.stop("SIGKILL");
    this.#migrate();
    await this.start();
  }

  #options: Readonly<Record<string, unknown>> = {};

  async start(): Promise<void> {
    const script = join(ROOT, "test/faults/kills/server.mjs");
    const child = spawn(nodeBinary(), [script, JSON.stringify(this.#options)], {
      cwd: ROOT,
      env: { ...toolEnvironment(), ...TEST_SECRETS },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    const output = watchProcess(child);
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`the server did not start: ${code}\n${output()}`)));
    });
  }

  /** Its whole process group, workerd included. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    process.kill(-child.pid, signal);
    await ended;
  }

  async close(): Promise<void> {
    await this.stop("SIGKILL");
    this.#mailService?.close();
    rmSync(this.#work, { recursive: true, force: true });
    if (this.#bundle !== "") rmSync(this.#bundle, { recursive: true, force: true });
  }

  #migrate(): void {
    const folder = join(this.#work, "state/d1/miniflare-D1DatabaseObject");
    const file = readdirSync(folder).find((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
    const database = new DatabaseSync(join(folder, file ?? ""));
    const migrations = readdirSync(join(ROOT, "migrations")).filter((name) => name.endsWith(".sql"));
    for (const name of migrations.sort()) {
      database.exec(readFileSync(join(ROOT, "migrations", name), "utf8"));
    }
    database.close();
  }
}

/** A port that nobody holds at this moment. */
export async function freePort(): Promise<{ port: number }> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const port = portOf(probe);
  await new Promise((resolve) => probe.close(resolve));
  return { port };
}

async function listen(statusOf: (isDown: boolean) => number, on: { isMailDown: boolean }): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(statusOf(on.isMailDown)).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
