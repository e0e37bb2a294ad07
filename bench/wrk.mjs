/**
 * Load by wrk, which is written in C and takes a fraction of a core where a client in JavaScript would take more than
 * the server that it measures. Its script is made here: every request is formatted before the clock starts, but for
 * bodies that must differ each time.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function hasWrk() {
  return spawnSync("wrk", ["--version"]).error === undefined;
}

/** Sent in place of a `%d` in a body or a path: a number that no other request had. */
const NUMBER = "%d";

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string>} [headers]
 * @property {string} [body]
 *
 * @param {{url: string, requests: readonly Request[], connections: number, seconds: number, first: number}} load
 *   `first`: the number of the first request, so that no run repeats another's
 * @returns {Promise<{rps: number, p50: number, p99: number, count: number, failed: number, statuses: Record<string, number>}>} latencies in milliseconds
 */
export async function drive({ url, requests, connections, seconds, first }) {
  const folder = mkdtempSync(join(tmpdir(), "meridian-wrk-"));
  try {
    const script = join(folder, "load.lua");
    writeFileSync(script, scriptOf(requests, first));
    const output = await run([
      ...["--threads", "1", "--connections", String(connections), "--duration", `${seconds}s`],
      ...["--timeout", "10s", "--script", script, url],
    ]);
    return resultOf(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function scriptOf(requests, first) {
  const isNumbered = requests.some(({ body, path }) => body?.includes(NUMBER) || path.includes(NUMBER));
  // Lists are long and repeat: each request is written once, for Lua takes 65,536 constants, and told by its number.
  const entries = new Map();
  const order = requests.map((request) => {
    const entry = entryOf(request);
    if (!entries.has(entry)) entries.set(entry, entries.size + 1);
    return entries.get(entry);
  });
  return `
local entries = { ${[...entries.keys()].join(",\n")} }
local order = { ${order.join(",")} }
local number = ${first}
local formatted = {}
init = function()
  ${isNumbered ? "" : "for i, e in ipairs(entries) do formatted[i] = wrk.format(e[1], e[2], e[3], e[4]) end"}
end
request = function()
  number = number + 1
  local index = order[number % #order + 1]
  ${
    isNumbered
      ? `local e = entries[index]
  local headers = {}
  for name, value in pairs(e[3]) do headers[name] = value:gsub("%%d", number) end
  return wrk.format(e[1], (e[2]:gsub("%%d", number)), headers, e[4] and (e[4]:gsub("%%d", number)))`
      : "return formatted[index]"
  }
end
local threads = {}
setup = function(thread) table.insert(threads, thread) end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    "RESULT {\\"count\\": %d, \\"us\\": %d, \\"p50\\": %d, \\"p99\\": %d, \\"failed\\": %d}\\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status + e.connect + e.read + e.write + e.timeout))
end
`;
}

function entryOf({ method, path, headers = {}, body }) {
  const fields = Object.entries(headers).map(([name, value]) => `[${luaText(name)}] = ${luaText(value)}`);
  const text = body === undefined ? "nil" : luaText(body);
  return `{ ${luaText(method)}, ${luaText(path)}, { ${fields.join(", ")} }, ${text} }`;
}

function luaText(value) {
  return JSON.stringify(value).replaceAll(/\\u([0-9a-f]{4})/g, (_, code) => `\\${Number.parseInt(code, 16)}`);
}

function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn("wrk", args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(`wrk failed: ${output}`))));
  });
}

function resultOf(output) {
  const line = /^RESULT (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk said nothing of its result: ${output}`);
  const { count, us, p50, p99, failed } = JSON.parse(line);
  return { rps: (count * 1e6) / us, p50: p50 / 1000, p99: p99 / 1000, count, failed };
}
