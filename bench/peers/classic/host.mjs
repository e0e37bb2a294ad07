/**
 * Runs the peer's servers, and ends them all with their folder: when told to, on a signal, or when who started it is
 * gone, however that ended. Its own children are Redis, PostgreSQL and the application.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { roomFor } from "../../room.mjs";
import { seed } from "./seed.mjs";
import { startPostgres, startRedis, withClient } from "./servers.mjs";

const STOP_GRACE_MS = 5_000;
/** PostgreSQL keeps up to a GiB of its log alone. */
const ROOM_BYTES = 2 * 2 ** 30;

const folder = mkdtempSync(join(roomFor(ROOM_BYTES), "meridian-classic-"));
/** In the order of their start; ended the other way round. */
const running = [];
let isStopping = false;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, stop);
process.once("disconnect", stop);
process.on("message", async ({ type, options }) => {
  try {
    if (type === "start") process.send({ type: "started", ...(await start(options)) });
    else await stop();
  } catch (error) {
    if (!isStopping) process.send({ type: "failed", message: error.message });
    await stop();
  }
});

async function start({ port, processes, users, products, programs, environment }) {
  const [redis, postgres] = await Promise.all([
    startRedis(programs, folder).then(track),
    startPostgres(programs, folder).then(track),
  ]);
  await withClient(postgres.url, (client) => seed(client, { users, products }));
  const child = fork(new URL("server.mjs", import.meta.url), {
    env: {
      ...process.env,
      ...environment,
      NODE_ENV: "production",
      PORT: String(port),
      PROCESSES: String(processes),
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
    },
    // Every request writes its line; nobody keeps it.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  track({ child, stopSignal: "SIGTERM" });
  const failed = once(child, "exit").then(([code]) =>
    Promise.reject(new Error(`the application ended with ${code}`)),
  );
  await Promise.race([once(child, "message"), failed]);
  failed.catch(() => {});
  return { redisUrl: redis.url, databaseUrl: postgres.url, pid: child.pid };
}

function track(server) {
  running.push(server);
  return server;
}

async function stop() {
  if (isStopping) return;
  isStopping = true;
  for (const { child, stopSignal } of running.reverse()) await end(child, stopSignal);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.exit();
}

async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
  await ended;
  clearTimeout(timer);
}
