/**
 * `npm run demo`: walks the main job against the server of `npm start`, as people from all over the world, and prints
 * what happened. It can be run again at once: addresses, mail and IP, are fresh each time.
 *
 * Flags: `--url http://localhost:8787`, `--persist-to dir` and `--mails dir` as the server was started with.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { problemOfUrl, readArguments } from "./arguments.mjs";
import { clientAt, eventually, expectStatus } from "./demo-client.mjs";
import { ensureDependencies, runMain } from "./prepare.mjs";
import { collect, ROOT } from "./tools.mjs";

/** The server hashes a few passwords at once and refuses more. */
const SIGN_UPS_AT_ONCE = 3;
const DELIVERY_WITHIN_MS = 90_000;
const PAGE_LIMIT = 25;

const { values: flags } = readArguments({
  command: "npm run demo",
  flags: {
    url: {
      takes: "<address>",
      says: "of the server; http://localhost:8787 unless given",
      check: problemOfUrl,
    },
    "persist-to": { takes: "<folder>", says: "as the server was started with" },
    mails: { takes: "<folder>", says: "where the server writes its mails" },
  },
});
const url = (flags.url ?? "http://localhost:8787").replace(/\/+$/, "");
const mailDirectory = flags.mails ?? join(ROOT, ".wrangler/tmp/email");
const startedAt = Date.now();
const run = randomBytes(4).toString("hex");
const people = readPeople();
const [operator, ...others] = people;
const [ada, bob] = others;
const limited = people.at(-1);

await runMain(async () => {
  await ensureDependencies();
  process.stdout.write(`\nMeridian at ${url}, ${people.length} people, run ${run}\n\n`);
  await step("the server is ready", checkReady);
  await step(`${operator.name} signs up`, () => signUp(operator));
  await step("npm run admin makes them an admin", promote);
  await step("the admin logs in", () => logIn(operator));
  const before = await step("today's sign-ups are read as they settle", settledSignups);
  await step(`${others.length} people sign up, each from an address of their own`, signUpAll);
  await step("signing up twice is refused, whatever the case of the address", signUpAgain);
  await step("a wrong password is refused", refuseWrongPassword);
  await step(`${ada.name} logs in`, () => logIn(ada));
  await step("reads the profile, and again out of the cache", readTwice);
  await step("changes it, with If-Match", patchOnce);
  await step("a stale If-Match changes nothing: 412", patchStale);
  await step("a stranger is asked to log in: 401", readAsStranger);
  await step("another user's profile does not exist: 404", readAnotherUser);
  await step("the list is the admin's alone: 403", listAsUser);
  await step("the admin lists everybody, page by page", listEverybody);
  await step(`the day's count has grown by ${others.length}`, () => countGrown(before + others.length));
  await step("everybody has a welcome mail on disk", findMails);
  await step(`${limited.name} is stopped by the limit`, hitLimit);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(`\nAll of it worked, in ${seconds} s.\n`);
});

/**
 * Runs a step and prints it with a tick and what it saw, or with a cross; the first that fails ends the walk.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<{said: string, value?: T}>} work
 * @returns {Promise<T | undefined>}
 */
async function step(title, work) {
  const paint = (code, text) => (process.stdout.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text);
  try {
    const { said, value } = await work();
    process.stdout.write(`${paint(32, "✔")} ${title}${said && paint(2, `  (${said})`)}\n`);
    return value;
  } catch (error) {
    process.stdout.write(`${paint(31, "✘")} ${title}\n`);
    throw error;
  }
}

/** Each person with an address of the documentation range (RFC 3849): one /64 a person, new in each run. */
function readPeople() {
  const list = JSON.parse(readFileSync(join(ROOT, "scripts/demo-people.json"), "utf8"));
  return list.map(({ email, name, age, locale, timezone }, index) => {
    const ip = `2001:db8:${run.slice(0, 4)}:${(Number.parseInt(run.slice(4), 16) ^ index).toString(16)}::1`;
    return {
      ...{ name, age, profile: { locale, timezone }, password: randomBytes(15).toString("base64url") },
      email: email.replace("@", `+${run}@`),
      call: clientAt(url, ip),
    };
  });
}

async function checkReady() {
  const call = clientAt(url, "2001:db8::1");
  const answer = await call("GET", "/readyz").catch(() => {
    throw new Error(`nothing answers at ${url}: run npm start in another terminal first`);
  });
  expectStatus(answer, 200);
  return { said: `${url}/readyz` };
}

async function signUp(person) {
  const { name, email, age, password, profile } = person;
  const json = { name, email, age, password, profile };
  const { body, headers } = expectStatus(await person.call("POST", "/api/users", { json }), 201);
  if (body.name !== name) throw new Error(`the name came back as ${JSON.stringify(body.name)}`);
  if (headers.get("Location") === null) throw new Error("no Location header");
  person.id = body.id;
  person.etag = headers.get("ETag");
  return { said: `201, ${body.id}` };
}

async function promote() {
  const persistTo = flags["persist-to"];
  const storage = persistTo === undefined ? [] : ["--persist-to", persistTo];
  const child = spawn(process.execPath, [join(ROOT, "scripts/admin.mjs"), operator.email, ...storage], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { code, output } = await collect(child);
  if (code !== 0) throw new Error(output.trim());
  return { said: "role admin" };
}

async function logIn(person) {
  const { email, password } = person;
  const json = { email, password };
  const { body } = expectStatus(await person.call("POST", "/api/auth/login", { json }), 200);
  if (body.tokenType !== "Bearer" || body.user.id !== person.id) throw new Error("not the expected token");
  person.token = body.accessToken;
  return { said: `token for ${body.expiresIn} s, role ${body.user.role}` };
}

/** Counts arrive by event: two equal readings some seconds apart mean that none is on its way. */
async function settledSignups() {
  let last = -1;
  let since = Date.now();
  const value = await eventually(
    async () => {
      const count = await readSignups();
      if (count !== last) since = Date.now();
      last = count;
      return Date.now() - since >= 3_000 && count > 0 ? count : undefined;
    },
    { withinMs: DELIVERY_WITHIN_MS, what: "a count of sign-ups that stands still" },
  );
  return { said: `${value} so far`, value };
}

/** Since the day the demonstration began, for it may run past midnight. */
async function readSignups() {
  const path = `/api/analytics/signups?from=${new Date(startedAt).toISOString().slice(0, 10)}`;
  const { body } = expectStatus(await operator.call("GET", path, { token: operator.token }), 200);
  return body.data.reduce((sum, { count }) => sum + count, 0);
}

async function signUpAll() {
  const waiting = [...others];
  const workers = Array.from({ length: SIGN_UPS_AT_ONCE }, async () => {
    for (let person = waiting.shift(); person !== undefined; person = waiting.shift()) await signUp(person);
  });
  await Promise.all(workers);
  return { said: `${others[0].name}, ${others[20].name}, ${others[45].name} and ${others.length - 3} more` };
}

async function signUpAgain() {
  const json = { name: ada.name, email: ada.email.toUpperCase() };
  const { body } = expectStatus(await bob.call("POST", "/api/users", { json }), 409);
  return { said: `409 ${body.code}` };
}

async function refuseWrongPassword() {
  const json = { email: ada.email, password: "not the password" };
  const { body } = expectStatus(await ada.call("POST", "/api/auth/login", { json }), 401);
  return { said: `401 ${body.code}` };
}

async function readTwice() {
  const first = expectStatus(await ada.call("GET", "/api/users/me", { token: ada.token }), 200);
  const again = expectStatus(await ada.call("GET", `/api/users/${ada.id}`, { token: ada.token }), 200);
  if (JSON.stringify(first.body) !== JSON.stringify(again.body)) throw new Error("the two answers differ");
  ada.etag = again.headers.get("ETag");
  const headers = { "If-None-Match": ada.etag };
  expectStatus(await ada.call("GET", "/api/users/me", { token: ada.token, headers }), 304);
  return { said: `200, 200, 304, ETag ${ada.etag}` };
}

async function patchOnce() {
  ada.staleEtag = ada.etag;
  const json = { profile: { bio: "Hello from the demo." } };
  const headers = { "If-Match": ada.etag, "Content-Type": "application/merge-patch+json" };
  const options = { json, headers, token: ada.token };
  const answer = expectStatus(await ada.call("PATCH", `/api/users/${ada.id}`, options), 200);
  ada.etag = answer.headers.get("ETag");
  const bookmark = answer.headers.get("X-D1-Bookmark");
  const read = await ada.call("GET", "/api/users/me", {
    token: ada.token,
    headers: { "X-D1-Bookmark": bookmark },
  });
  if (expectStatus(read, 200).body.profile.bio !== json.profile.bio)
    throw new Error("the change was not read back");
  return { said: `200, ETag ${ada.staleEtag} -> ${ada.etag}, read back with the bookmark` };
}

async function patchStale() {
  const options = { json: { age: 99 }, headers: { "If-Match": ada.staleEtag }, token: ada.token };
  const { body } = expectStatus(await ada.call("PATCH", `/api/users/${ada.id}`, options), 412);
  return { said: body.code };
}

async function readAsStranger() {
  const { headers } = expectStatus(await bob.call("GET", `/api/users/${ada.id}`), 401);
  return { said: `WWW-Authenticate: ${headers.get("WWW-Authenticate")}` };
}

async function readAnotherUser() {
  const { body } = expectStatus(await ada.call("GET", `/api/users/${bob.id}`, { token: ada.token }), 404);
  return { said: body.code };
}

async function listAsUser() {
  const { body } = expectStatus(await ada.call("GET", "/api/users", { token: ada.token }), 403);
  return { said: body.code };
}

async function listEverybody() {
  const seen = new Map();
  const since = new Date(startedAt - 60_000).toISOString();
  const pagesMax = 100;
  let pages = 0;
  let cursor = null;
  do {
    const query = new URLSearchParams({ limit: String(PAGE_LIMIT), createdAfter: since });
    if (cursor !== null) query.set("cursor", cursor);
    const options = { token: operator.token };
    const { body } = expectStatus(await operator.call("GET", `/api/users?${query}`, options), 200);
    for (const user of body.data) seen.set(user.id, (seen.get(user.id) ?? 0) + 1);
    cursor = body.nextCursor;
    pages += 1;
  } while (cursor !== null && pages < pagesMax);
  const wrong = people.filter(({ id }) => seen.get(id) !== 1);
  if (wrong.length > 0) throw new Error(`${wrong.length} people were not listed exactly once`);
  return { said: `${pages} pages, everybody once` };
}

async function countGrown(expected) {
  const count = await eventually(
    async () => {
      const current = await readSignups();
      return current >= expected ? current : undefined;
    },
    { withinMs: DELIVERY_WITHIN_MS, what: `${expected} sign-ups counted` },
  );
  if (count !== expected) throw new Error(`${count} counted, ${expected} expected: some counted twice?`);
  return { said: `${count} today` };
}

async function findMails() {
  const wanted = new Map(people.map(({ name }) => [name, undefined]));
  const read = new Set();
  await eventually(
    async () => {
      for (const file of mailFiles().filter((path) => !read.has(path))) {
        read.add(file);
        const text = readFileSync(file, "utf8");
        for (const name of wanted.keys()) if (text.includes(name)) wanted.set(name, file);
      }
      return [...wanted.values()].includes(undefined) ? undefined : true;
    },
    {
      withinMs: DELIVERY_WITHIN_MS,
      what: `a mail to each of ${people.length} people under ${mailDirectory}`,
    },
  );
  return { said: `${people.length} mails, one of them ${relative(ROOT, wanted.get(ada.name))}` };
}

/** Text bodies written since the demonstration began, by any server that runs here. */
function mailFiles() {
  if (!existsSync(mailDirectory)) return [];
  return readdirSync(mailDirectory)
    .map((session) => join(mailDirectory, session, "email-text"))
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)))
    .filter((file) => statSync(file).mtimeMs >= startedAt);
}

/** By the budget that the server states, so that it may run with another one. */
async function hitLimit() {
  await logIn(limited);
  const ask = () => limited.call("GET", "/api/users/me", { token: limited.token });
  const first = expectStatus(await ask(), 200);
  const budget = Number(/q=(\d+)/.exec(first.headers.get("RateLimit-Policy") ?? "")?.[1]);
  if (!Number.isInteger(budget)) throw new Error("no RateLimit-Policy header");
  for (let request = 2; request <= budget; request += 1) {
    const { status } = await ask();
    if (status !== 200) throw new Error(`request ${request} of ${budget} was answered ${status}`);
  }
  const { headers, body } = expectStatus(await ask(), 429);
  const retryAfter = headers.get("Retry-After");
  if (!/^[1-9]\d*$/.test(retryAfter ?? "")) throw new Error(`Retry-After is ${retryAfter}`);
  return { said: `${budget} answered, number ${budget + 1}: 429 ${body.code}, Retry-After: ${retryAfter}` };
}
