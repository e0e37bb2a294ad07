/**
 * `npm start`: the whole system on this machine, without an account. Prepares what is missing, runs `wrangler dev` with
 * the flags it was given, says where things are, and ticks the cron, which local development does not do by itself.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { refuseMisspelt, refuseSwallowed } from "./arguments.mjs";
import { readVars } from "./dev-vars.mjs";
import { ensureDocs } from "./docs-assets.mjs";
import { ensureDependencies, ensureMigrations, ensureSecrets, runMain } from "./prepare.mjs";
import { areAlive, descendantsOf, endTreeOnWindows, signalAll, watchedAncestors } from "./process-tree.mjs";
import { exitOf, flagValue, ROOT, spawnTool, toolEnvironment } from "./tools.mjs";
import { printShortened } from "./wrangler-output.mjs";

const DEFAULT_PORT = 8787;
const READY_WITHIN_MS = 60_000;
const TICK_MS = 60_000;
const TICK_TIMEOUT_MS = 30_000;
/** How long wrangler may take to end by itself. */
const GRACE_MS = 3_000;

/** Flags of `wrangler dev` that npm may have kept. Not `--log-level`, because npm has a setting of that name. */
const PROGRAM = {
  command: "npm start",
  passesOn: true,
  flags: {
    port: { takes: "<number>" },
    ip: { takes: "<address>" },
    host: { takes: "<host>" },
    "local-protocol": { takes: "<http or https>" },
    var: { takes: "<NAME:value>" },
    "persist-to": { takes: "<folder>" },
    "inspector-port": { takes: "<number>" },
    "env-file": { takes: "<file>" },
    config: { takes: "<file>" },
    "test-scheduled": {},
    "live-reload": {},
  },
};

await runMain(async () => {
  const startedAt = Date.now();
  const args = process.argv.slice(2);
  refuseSwallowed(PROGRAM, args, process.env);
  refuseMisspelt(PROGRAM, args);
  if (args[0]?.startsWith("-") === false)
    throw new Error(`npm start takes flags only, and ${args[0]} is not one: npm start -- --port 9000`);
  const persistTo = flagValue(args, "persist-to");
  const address = await chooseAddress(args);
  // Before the installation, so that a broken file is named at once.
  const secrets = ensureSecrets();
  if (secrets.length > 0) process.stdout.write(`Wrote fresh secrets to .dev.vars: ${secrets.join(", ")}\n`);
  await ensureDependencies();
  await checkVariables(args);
  ensureDocs();
  await ensureMigrations(persistTo);

  const server = spawnTool("wrangler", ["dev", ...withDefaults(args, address)], {
    env: { ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}), ...toolEnvironment() },
    stdio: ["ignore", "pipe", "inherit"],
  });
  printShortened(server.stdout);
  const ended = exitOf(server);
  const controller = new AbortController();
  const stop = endWithParent(server, controller);
  void announce(address.url, startedAt, controller.signal);
  const code = await ended;
  const wasAsked = controller.signal.aborted || args.includes("--help") || args.includes("-h");
  await stop();
  if (wasAsked) return 0;
  process.stderr.write("The server has ended by itself; see the messages above.\n");
  // wrangler reports 0 when its inner process was killed.
  return code === 0 ? 1 : code;
});

/** Stops on a variable of a wrong form. Flags that read other files leave the check to the Worker. */
async function checkVariables(args) {
  if (args.some((argument) => /^(?:--(?:config|env|env-file)(?:=|$)|-[ce]$)/.test(argument))) return;
  const { readConfiguration } = await import("./deploy/configuration.mjs");
  const { checkLocalVariables } = await import("./variables.mjs");
  const read = (name) => readFileSync(join(ROOT, name), "utf8");
  const given = args.flatMap((argument, index) => {
    const text = args[index - 1] === "--var" ? argument : /^--var=(.*)$/s.exec(argument)?.[1];
    const [, name, value] = /^(\w+):(.*)$/s.exec(text ?? "") ?? [];
    return name === undefined ? [] : [[name, value]];
  });
  const config = readConfiguration(read("wrangler.toml"));
  const warnings = await checkLocalVariables(readVars(read(".dev.vars")), config, Object.fromEntries(given));
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
}

/**
 * The port and the address that answer locally. A busy port is an error here, for wrangler would quietly take another.
 * Port 0 means any free one.
 */
async function chooseAddress(args) {
  const text = flagValue(args, "port") ?? String(DEFAULT_PORT);
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new Error("--port takes a number from 0 to 65535");
  const ip = flagValue(args, "ip") ?? "127.0.0.1";
  const protocol = flagValue(args, "local-protocol") ?? "http";
  const free = await tryListen(port, ip);
  const host = ["127.0.0.1", "0.0.0.0", "::", "*"].includes(ip) ? "localhost" : ip;
  return { port: free, url: `${protocol}://${host}:${free}` };
}

/** Binds the port for a moment. @returns {Promise<number>} the port, chosen by the system for 0 */
function tryListen(port, ip) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => {
      const hint = "Stop what listens there, or choose another: npm start -- --port 8788";
      const isBusy = "code" in error && error.code === "EADDRINUSE";
      reject(isBusy ? new Error(`Port ${port} is in use. ${hint}`) : error);
    });
    probe.listen({ port, host: ip === "*" ? "0.0.0.0" : ip }, () => {
      const chosen = probe.address().port;
      probe.close(() => resolve(chosen));
    });
  });
}

/**
 * The given flags, with the port made explicit, no keyboard session, any free port for the debugger (servers started
 * side by side would race for the usual one), and links in mails that lead to this server.
 */
function withDefaults(args, { port, url }) {
  const flags = args.filter((argument, index) => {
    const isPortValue = args[index - 1] === "--port";
    return argument !== "--port" && !argument.startsWith("--port=") && !isPortValue;
  });
  const namesPublicUrl = args.some((argument) => /^(--var=)?PUBLIC_URL:/.test(argument));
  return [
    ...["--port", String(port), "--show-interactive-dev-session=false"],
    ...(flagValue(args, "inspector-port") === undefined ? ["--inspector-port", "0"] : []),
    ...flags,
    ...(namesPublicUrl || port === DEFAULT_PORT ? [] : ["--var", `PUBLIC_URL:${url}`]),
  ];
}

/** Waits for the first answer, says where everything is, and ticks the cron from then on. */
async function announce(url, startedAt, signal) {
  const status = await firstAnswer(url, signal);
  if (signal.aborted) return;
  if (status === undefined) {
    process.stderr.write(
      `No answer from ${url} within ${READY_WITHIN_MS / 1000} s; see the messages above.\n`,
    );
  } else {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(whereThingsAre(url, status, seconds));
  }
  while (!signal.aborted) {
    await tick(url, signal);
    await sleep(TICK_MS, undefined, { signal }).catch(() => {});
  }
}

async function firstAnswer(url, signal) {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && !signal.aborted) {
    try {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
      await response.body?.cancel();
      return response.status;
    } catch {
      await sleep(150, undefined, { signal }).catch(() => {});
    }
  }
  return undefined;
}

function whereThingsAre(url, status, seconds) {
  const readiness = status === 200 ? "ready" : `answering, but /readyz says ${status}`;
  return [
    "",
    `Meridian is ${readiness} after ${seconds} s`,
    `  API    ${url}/api      try: curl ${url}/readyz`,
    `  Docs   ${url}/docs`,
    "  Mails  .wrangler/tmp/email/   one folder per running server, in it email-text/*.txt and email-html/*.html;",
    "         each mail's paths are printed above as it is sent, and go with the server",
    "  Stop   Ctrl-C",
    "",
    "",
  ].join("\n");
}

/** One run of the scheduled handler. A failure is the handler's to log; a server on its way down is no news. */
async function tick(url, signal) {
  try {
    const response = await fetch(`${url}/cdn-cgi/local/scheduled?cron=*+*+*+*+*`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TICK_TIMEOUT_MS)]),
    });
    await response.body?.cancel();
  } catch {
    // The next minute tries again.
  }
}

/**
 * Ends the server with this process, whichever way that goes: by a signal, or because the npm that runs this script was
 * killed alone and could pass nothing on.
 *
 * @returns {() => Promise<void>} ends whatever is left of the tree
 */
function endWithParent(server, controller) {
  const family = new Set();
  const remember = () => {
    for (const pid of descendantsOf(server.pid)) family.add(pid);
  };
  const shutDown = () => {
    if (controller.signal.aborted) return;
    controller.abort();
    remember();
    server.kill("SIGTERM");
    endTreeOnWindows(server.pid);
    setTimeout(() => signalAll([server.pid, ...family], "SIGKILL"), GRACE_MS).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, shutDown);
  const ancestors = process.env.npm_lifecycle_event === undefined ? [] : watchedAncestors();
  const watch = setInterval(() => {
    remember();
    if (!areAlive(ancestors)) shutDown();
  }, 1_000);
  return async () => {
    clearInterval(watch);
    controller.abort();
    await sleep(100);
    signalAll(family, "SIGKILL");
  };
}
