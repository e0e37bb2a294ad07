/**
 * Where the time of a workload goes: `node bench/profile.mjs hot`. Serves the project with its names kept, loads it, and
 * takes a CPU profile through workerd's inspector. Prints the functions by their own time, and writes a file that
 * Chrome's developer tools open.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startProject } from "./sides.mjs";
import { drive } from "./wrk.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "5" },
    port: { type: "string", default: "9239" },
    out: { type: "string", default: "bench/workload.cpuprofile" },
    rows: { type: "string", default: "40" },
  },
});
const [name = "hot"] = positionals;
const seconds = Number(values.seconds);

const side = await startProject({ isReadable: true, args: ["--inspector-addr", `127.0.0.1:${values.port}`] });
console.log(`the Worker's process: ${side.pid}`);
try {
  const { requests, connections } = side.workloads.get(name);
  const load = { url: side.url, requests, connections };
  await drive({ ...load, seconds: 2, first: 1 });
  const inspector = await connect(values.port);
  await inspector.call("Profiler.enable");
  await inspector.call("Profiler.setSamplingInterval", { interval: 200 });
  await inspector.call("Profiler.start");
  const { rps } = await drive({ ...load, seconds, first: 1_000_000 });
  const { profile } = await inspector.call("Profiler.stop");
  inspector.close();
  writeFileSync(values.out, JSON.stringify(profile));
  console.log(`${name}: ${Math.round(rps)} requests a second while profiled; ${values.out}`);
  print(profile, Number(values.rows));
} finally {
  side.stop();
}

/** The Worker's own target: each service of workerd has one. */
async function connect(port) {
  const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const target = targets.find(({ id, title }) => `${id} ${title}`.includes("worker")) ?? targets[0];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/${target.id}`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map();
  let last = 0;
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    if (error !== undefined) waiting.get(id)?.reject(new Error(error.message));
    else waiting.get(id)?.resolve(result);
  };
  return {
    call: (method, params = {}) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        socket.send(JSON.stringify({ id: last, method, params }));
      }),
    close: () => socket.close(),
  };
}

/** By function: the samples in it, and in what it calls. */
function print({ nodes, samples }, rows) {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const own = new Map();
  const total = new Map();
  const add = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const sample of samples) {
    const seen = new Set();
    for (let id = sample; id !== undefined; id = parents.get(id)) {
      const label = labelOf(byId.get(id));
      if (id === sample) add(own, label);
      if (!seen.has(label)) add(total, label);
      seen.add(label);
    }
  }
  const busy = samples.length - (own.get("(idle)") ?? 0);
  const share = (count) => `${((100 * count) / busy).toFixed(1)}`.padStart(6);
  console.log("own %  total %  function");
  const sorted = [...own].filter(([label]) => label !== "(idle)").sort(([, a], [, b]) => b - a);
  for (const [label, count] of sorted.slice(0, rows)) {
    console.log(`${share(count)} ${share(total.get(label))}  ${label}`);
  }
  console.log("\ntotal %  function");
  for (const [label, count] of [...total].sort(([, a], [, b]) => b - a).slice(0, 2 * rows)) {
    console.log(`${share(count)}  ${label}`);
  }
}

function labelOf({ callFrame: { functionName, lineNumber } }) {
  return lineNumber < 0 ? functionName : `${functionName || "(anonymous)"} :${lineNumber + 1}`;
}
