/**
 * Kills the whole server at random moments under load, again and again, and then asks the database what is left of
 * what was acknowledged: `npm run judge -- kills --kills 200 [--seed 1]`.
 *
 * Exit code 0 only when every 2xx has its user, profile and event, every event its effects, the days' counts equal the
 * users, no mail is missing, and none was repeated but by a kill between sending it and recording it.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isAtLeast, readArguments } from "../../../scripts/arguments.mjs";
import { buildWorker } from "../../../scripts/build.mjs";
import { nodeBinary, ROOT, toolEnvironment } from "../../../scripts/tools.mjs";
import { TEST_SECRETS } from "../../support/secrets.ts";
import { leaksPrinted, watchProcess } from "../../support/server-output.ts";

const { values } = readArguments({
  command: "npm run judge -- kills",
  flags: {
    kills: { takes: "<number>", says: "20 unless given", check: isAtLeast(1) },
    seed: { takes: "<number>", says: "repeats a run", check: isAtLeast(0) },
    clients: { takes: "<number>", says: "that call at once; 8 unless given", check: isAtLeast(1) },
  },
});
const KILLS = Number(values.kills ?? 20);
const CLIENTS = Number(values.clients ?? 8);
const SEED = Number(values.seed ?? Date.now() % 1_000_000);
/** From the first answer to the kill: long enough for the consumers to be in the middle of things. */
const LIFE_MS = { min: 30, max: 1_500 };
/** A server that has answered nothing by then is killed all the same. */
const ANSWER_WITHIN_MS = 10_000;
const SETTLE_WITHIN_MS = 180_000;
const PORT = 20_000 + Math.floor(Math.random() * 20_000);
const BASE = `http://127.0.0.1:${PORT}`;

const random = seeded(SEED);
const work = mkdtempSync(join(tmpdir(), "meridian-faults-"));
// Inside the project, for workerd takes no module from outside the directory that it runs in.
const cache = join(ROOT, "node_modules/.cache");
mkdirSync(cache, { recursive: true });
const bundleDir = mkdtempSync(join(cache, "faults-"));
/** Mails as the mail service saw them: idempotency key -> when each arrived. */
const mails = new Map();
/** From each kill to the next start: what the dead server had sent may still arrive within. */
const outages = [];
/** Ids of users whose sign-up was answered with 201. */
const acknowledged = [];
let attempted = 0;

const mailService = await startMailService();
const server = {
  bundle: bundleDir,
  persist: join(work, "state"),
  port: PORT,
  mailUrl: `http://127.0.0.1:${mailService.address().port}/`,
  vars: {
    ...TEST_SECRETS,
    // A deployed build refuses an address of this machine.
    PUBLIC_URL: "https://meridian.example",
    RATE_LIMIT_MAX: "1000000",
    EVENT_RESEND_SECONDS: "2",
    CONSUMER_BACKOFF_SECONDS: "1",
    LOG_LEVEL: "error",
  },
};

/** The server's process, while it runs: an interrupted run leaves none behind. */
let running;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    if (running !== undefined) process.kill(-running.pid, "SIGKILL");
    rmSync(bundleDir, { recursive: true, force: true });
    rmSync(work, { recursive: true, force: true });
    process.exit(1);
  });
}

try {
  await buildWorker({ outdir: bundleDir });
  await killAgainAndAgain();
  const failures = await verdict();
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  mailService.close();
  rmSync(work, { recursive: true, force: true });
  rmSync(bundleDir, { recursive: true, force: true });
}

/** The same migrations that wrangler applies, into the file that the Worker's database will be. */
function migrate() {
  const file = databaseFile();
  const database = new DatabaseSync(file);
  for (const name of readdirSync(join(ROOT, "migrations"))
    .filter((each) => each.endsWith(".sql"))
    .sort()) {
    database.exec(readFileSync(join(ROOT, "migrations", name), "utf8"));
  }
  database.close();
}

function databaseFile() {
  const folder = join(server.persist, "d1/miniflare-D1DatabaseObject");
  const name = readdirSync(folder).find((each) => each.endsWith(".sqlite") && each !== "metadata.sqlite");
  return join(folder, name);
}

async function killAgainAndAgain() {
  // The first start makes the database file; it is migrated while nobody holds it.
  const first = await start();
  await fetch(`${BASE}/readyz`);
  await kill(first);
  migrate();
  const startedAt = Date.now();
  for (let round = 1; round <= KILLS; round += 1) {
    const child = await start();
    const load = startLoad();
    await Promise.race([load.answered, sleep(ANSWER_WITHIN_MS)]);
    await sleep(LIFE_MS.min + random() * (LIFE_MS.max - LIFE_MS.min));
    await kill(child);
    await load.stop();
    if (round % 10 === 0 || round === KILLS) {
      const seconds = Math.round((Date.now() - startedAt) / 1000);
      console.log(`${round} kills, ${acknowledged.length} sign-ups acknowledged, ${seconds} s`);
    }
  }
}

/** A process group of its own, so that one signal ends Node and workerd at once. */
function start() {
  const outage = outages.at(-1);
  if (outage !== undefined) outage.to = performance.now();
  const path = fileURLToPath(new URL("server.mjs", import.meta.url));
  const child = spawn(nodeBinary(), [path, JSON.stringify(server)], {
    cwd: ROOT,
    env: { ...toolEnvironment(), ...TEST_SECRETS },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  const output = watchProcess(child);
  running = child;
  return new Promise((resolve, reject) => {
    child.once("message", () => resolve(child));
    child.once("exit", (code) => reject(new Error(`the server did not start: ${code}\n${output()}`)));
  });
}

async function kill(child) {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  outages.push({ from: performance.now(), to: Number.POSITIVE_INFINITY });
  process.kill(-child.pid, "SIGKILL");
  await ended;
  running = undefined;
}

function startLoad() {
  let isOver = false;
  const { promise: answered, resolve } = Promise.withResolvers();
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!isOver) await signUp(resolve).catch(() => sleep(5));
  });
  return {
    answered,
    async stop() {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

async function signUp(onAnswer) {
  attempted += 1;
  const number = attempted;
  const response = await fetch(`${BASE}/api/users`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "cf-connecting-ip": `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
    },
    body: JSON.stringify({ name: `Person ${number}`, email: `person${number}@example.com` }),
    signal: AbortSignal.timeout(10_000),
  });
  // The acknowledgement is the status line: whether the body still arrives does not matter.
  onAnswer();
  const id = response.headers.get("location")?.split("/").at(-1);
  if (response.status === 201) acknowledged.push(id);
  else if (response.status >= 500) await sleep(20);
  await response.arrayBuffer();
}

async function verdict() {
  const child = await start();
  const database = new DatabaseSync(databaseFile(), { readOnly: true });
  const count = (query) => Object.values(database.prepare(query).get())[0];
  const deadline = Date.now() + SETTLE_WITHIN_MS;
  const startedAt = Date.now();
  const unsettled = () => count("select count(*) from event_deliveries where state = 'pending'");
  console.log(`${unsettled()} deliveries unsettled after the last kill`);
  while (unsettled() > 0 && Date.now() < deadline) await sleep(500);
  console.log(`settled after ${Math.round((Date.now() - startedAt) / 1000)} s`);
  await kill(child);

  const all = (query) => database.prepare(query).all();
  const users = new Set(all("select id from users").map((row) => row.id));
  const profiles = new Set(all("select user_id from user_profiles").map((row) => row.user_id));
  const events = new Map(
    all("select id, subject from outbox_events where type = 'user.created'").map((row) => [
      row.subject,
      row.id,
    ]),
  );
  const attempts = new Map(
    all("select event_id, attempts from event_deliveries where consumer = 'welcome-mail'").map((row) => [
      row.event_id,
      row.attempts,
    ]),
  );
  const counted = count("select coalesce(sum(count), 0) from daily_signups");
  const states = Object.fromEntries(
    all("select state, count(*) as n from event_deliveries group by state").map((row) => [row.state, row.n]),
  );
  const sent = [...events.values()].filter((id) => mails.has(id)).length;
  const pairs = [...mails.values()].flatMap((times) =>
    times.slice(1).map((time, index) => [times[index], time]),
  );
  // The stated gap: sent, and killed before that was recorded. Without a kill between two sends there is no excuse.
  const unexplained = pairs.filter(
    ([first, second]) => !outages.some(({ from, to }) => first < to && second > from),
  );
  const overCounted = [...mails].filter(([id, times]) => times.length > (attempts.get(id) ?? 0));
  database.close();

  console.log(
    JSON.stringify(
      {
        seed: SEED,
        kills: KILLS,
        attempted,
        acknowledged: acknowledged.length,
        users: users.size,
        profiles: profiles.size,
        events: events.size,
        deliveries: states,
        countedSignups: counted,
        mails: {
          users: sent,
          repeatsByKills: pairs.length - unexplained.length,
          repeatsOtherwise: unexplained.length,
          mostForOne: Math.max(0, ...[...mails.values()].map((times) => times.length)),
        },
      },
      null,
      2,
    ),
  );
  const failures = [
    [acknowledged.some((id) => !users.has(id)), "an acknowledged user is missing"],
    [acknowledged.some((id) => !profiles.has(id)), "an acknowledged profile is missing"],
    [acknowledged.some((id) => !events.has(id)), "an acknowledged event is missing"],
    [
      users.size !== profiles.size || users.size !== events.size,
      "users, profiles and events differ in number",
    ],
    [(states.pending ?? 0) > 0, "a delivery is unsettled"],
    [(states.dead ?? 0) > 0, "a delivery is dead"],
    [counted !== users.size, "the days' counts differ from the users"],
    [sent !== events.size, "a mail is missing"],
    [unexplained.length > 0, "a mail was repeated without a kill in between"],
    [overCounted.length > 0, "a mail was sent without its attempt being counted"],
    [
      acknowledged.length < KILLS,
      "fewer sign-ups were acknowledged than servers killed: the run shows little",
    ],
    [leaksPrinted().length > 0, "a server printed a secret"],
  ]
    .filter(([isFailure]) => isFailure)
    .map(([, text]) => text);
  console.log(failures.length === 0 ? "nothing acknowledged was lost" : `FAILED: ${failures.join("; ")}`);
  return failures;
}

/** Beyond the Worker: takes mails over HTTP and remembers them, whatever happens to the server. */
function startMailService() {
  const service = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const mail = JSON.parse(Buffer.concat(chunks).toString());
      const key = mail.headers["X-Idempotency-Key"];
      mails.set(key, [...(mails.get(key) ?? []), performance.now()]);
      response.end("ok");
    });
  });
  return new Promise((resolve) => service.listen(0, "127.0.0.1", () => resolve(service)));
}

/** Mulberry32: the moments of the kills can be had again by their seed. */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
