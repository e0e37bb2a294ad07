/**
 * `npm run judge -- openapi-answers`: holds every answer of the running server against public/openapi.json. Stoplight's Prism
 * judges: a call of every operation, and the demonstration, go through it as a proxy. Fails on an answer that the
 * document does not describe, and on an operation that was never answered as it is meant.
 * The server must let webhooks lead to this machine: `npm start -- --var WEBHOOK_ALLOW_LOCAL:true`.
 *
 * Flags: `--url http://localhost:8787`; `--persist-to dir` and `--mails dir` as the server was started with;
 * `--brief` leaves out the demonstration.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";

import { createServer } from "node:http";
import { join } from "node:path";
import { problemOfUrl, readArguments } from "../arguments.mjs";
import { eventually } from "../demo-client.mjs";
import { metricsToken } from "../metrics-token.mjs";
import { ensureTools } from "../on-demand.mjs";
import { ensureDependencies, runMain } from "../prepare.mjs";
import { ROOT, runScript } from "../tools.mjs";
import { startPrism } from "./prism.mjs";
import { walkOperations } from "./scenario.mjs";
import { coverageOf, openTap } from "./tap.mjs";

/** What cannot be brought about from outside: a delivery that failed for good, a database that is away. */
const NEVER_ANSWERED = ["replayDeadLetter", "discardDeadLetter"];
const MAIL_WITHIN_MS = 60_000;

const { values: flags } = readArguments({
  command: "npm run judge -- openapi-answers",
  flags: {
    url: {
      takes: "<address>",
      says: "of the server; http://localhost:8787 unless given",
      check: problemOfUrl,
    },
    "persist-to": { takes: "<folder>", says: "as the server was started with" },
    mails: { takes: "<folder>", says: "where the server writes its mails" },
    brief: { says: "leaves out the demonstration" },
  },
});
const upstream = (flags.url ?? "http://localhost:8787").replace(/\/+$/, "");
const mails = flags.mails ?? join(ROOT, ".wrangler/tmp/email");
const persistTo = flags["persist-to"];
const passedOn = persistTo === undefined ? [] : ["--persist-to", persistTo];

await runMain(async () => {
  await ensureDependencies();
  const folder = await ensureTools("openapi-judge");
  const port = await freePort();
  const stop = await startPrism({ folder, upstream, port });
  const tap = await openTap(port);
  const receiver = createServer((_, answer) => answer.writeHead(204).end());
  try {
    const document = JSON.parse(readFileSync(join(ROOT, "public/openapi.json"), "utf8"));
    await walkOperations({
      ...{ url: tap.url, document, promote, mailedToken, metricsToken: metricsToken() },
      receiver: `http://127.0.0.1:${await listening(receiver)}/events`,
    });
    if (!flags.brief) await demonstrate(tap.url);
    return judge(document, tap.seen);
  } finally {
    tap.close();
    receiver.close();
    receiver.closeAllConnections();
    await stop();
  }
});

function judge(document, seen) {
  const wrong = seen.filter(({ violations }) => violations.length > 0);
  for (const { method, path, status, violations } of wrong) {
    process.stdout.write(`✘  ${method} ${path} ${status}: ${violations.join("; ")}\n`);
  }
  const unseen = coverageOf(document, seen).filter(
    ({ id, statuses, successes }) =>
      statuses.size === 0 ||
      (!NEVER_ANSWERED.includes(id) && !successes.some((status) => statuses.has(status))),
  );
  for (const { id } of unseen) process.stdout.write(`✘  ${id} was never answered as it is meant\n`);
  process.stdout.write(
    `${seen.length} answers over ${Object.keys(document.paths).length} paths, ${wrong.length} outside the document.\n`,
  );
  return wrong.length === 0 && unseen.length === 0 && seen.length > 0 ? 0 : 1;
}

async function demonstrate(url) {
  const { code, output } = await runScript("scripts/demo.mjs", ["--url", url, "--mails", mails, ...passedOn]);
  if (code !== 0) throw new Error(output);
}

async function promote(email) {
  const { code, output } = await runScript("scripts/admin.mjs", [email, ...passedOn]);
  if (code !== 0) throw new Error(output);
}

/** Mails are files, and say to whom they are in their first line. */
async function mailedToken(name, page, known = null) {
  const pattern = new RegExp(`^Hello ${name},[^]*/${page}\\?token=([\\w-]+)`);
  return await eventually(
    async () =>
      newestMails()
        .map((file) => pattern.exec(readFileSync(file, "utf8"))?.[1])
        .find((token) => token !== undefined && token !== known),
    { withinMs: MAIL_WITHIN_MS, what: `a mail to ${name} that leads to /${page}, under ${mails}` },
  );
}

function newestMails() {
  if (!existsSync(mails)) return [];
  return readdirSync(mails)
    .map((session) => join(mails, session, "email-text"))
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).map((file) => join(directory, file)))
    .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs)
    .slice(0, 100);
}

async function freePort() {
  const probe = createServer();
  const port = await listening(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** @returns {Promise<number>} the port, on this machine alone */
function listening(server) {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", () => resolve(server.address().port));
  });
}
