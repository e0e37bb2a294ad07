/**
 * Where the time of a workload goes, or with `--heap` its memory: `npm run bench:profile -- hot --side literal`. Serves a side
 * with its names kept, loads it, and takes a profile through workerd's inspector. Prints the functions, and writes a file
 * that Chrome's developer tools open.
 */
import { writeFileSync } from "node:fs";
import { isAtLeast, isOneOf, readArguments } from "../scripts/arguments.mjs";
import { startBare, startLiteral, startProject } from "./sides.mjs";
import { drive } from "./wrk.mjs";

const SIDES = { project: startProject, literal: startLiteral, bare: startBare };

/**
 * How each kind of profile is taken, and what is told of it. `stop` answers the profile with its nodes and what each weighs;
 * `told` says in what unit a weight is printed.
 */
const CPU = {
  out: "bench/workload.cpuprofile",
  async start(inspector) {
    await inspector.call("Profiler.enable");
    await inspector.call("Profiler.setSamplingInterval", { interval: 200 });
    await inspector.call("Profiler.start");
  },
  async stop(inspector) {
    const { profile } = await inspector.call("Profiler.stop");
    const weights = new Map();
    for (const id of profile.samples) weights.set(id, (weights.get(id) ?? 0) + 1);
    const idle = profile.nodes.find(({ callFrame }) => callFrame.functionName === "(idle)");
    weights.delete(idle?.id);
    return { profile, nodes: profile.nodes, weights };
  },
  unit: "% of the time",
  told: (weight, { sum }) => ((100 * weight) / sum).toFixed(1),
};
const HEAP = {
  out: "bench/workload.heapprofile",
  async start(inspector) {
    await inspector.call("HeapProfiler.enable");
    // What was collected meanwhile counts too: it is garbage that is looked for.
    const collected = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
    await inspector.call("HeapProfiler.startSampling", { samplingInterval: 2_048, ...collected });
  },
  async stop(inspector) {
    const { profile } = await inspector.call("HeapProfiler.stopSampling");
    const nodes = flat(profile.head);
    const weights = new Map(nodes.map(({ id, selfSize }) => [id, selfSize]));
    return { profile, nodes: nodes.map(idsOfChildren), weights };
  },
  unit: "bytes a request",
  told: (weight, { requests }) => String(Math.round(weight / requests)),
};

const { values, operands } = readArguments({
  command: "npm run bench:profile",
  operands: ["[workload]"],
  flags: {
    side: { takes: "<name>", says: "project unless given", check: isOneOf(Object.keys(SIDES)) },
    heap: { says: "where the memory goes, in place of the time" },
    seconds: { takes: "<number>", says: "how long the profile takes; 5 unless given", check: isAtLeast(1) },
    port: { takes: "<number>", says: "of workerd's inspector; 9239 unless given", check: isAtLeast(1) },
    out: { takes: "<file>", says: "where the profile is written" },
    rows: { takes: "<number>", says: "functions that are printed; 40 unless given", check: isAtLeast(1) },
  },
});
const [name = "hot"] = operands;
const { side: sideName = "project", port = "9239", seconds = "5", rows: rowsShown = "40" } = values;
const kind = values.heap ? HEAP : CPU;
const file = values.out ?? kind.out;

const side = await SIDES[sideName]({
  isReadable: true,
  args: ["--inspector-addr", `127.0.0.1:${port}`],
});
console.log(`the Worker's process: ${side.pid}`);
try {
  if (!side.workloads.has(name)) throw new RangeError(`a workload is one of ${[...side.workloads.keys()]}`);
  const { requests, connections } = side.workloads.get(name);
  const load = { url: side.url, requests, connections };
  await drive({ ...load, seconds: 2, first: 1 });
  const inspector = await connect(port);
  await kind.start(inspector);
  const { rps, count } = await drive({ ...load, seconds: Number(seconds), first: 1_000_000 });
  const { profile, nodes, weights } = await kind.stop(inspector);
  inspector.close();
  writeFileSync(file, JSON.stringify(profile));
  console.log(`${sideName}, ${name}: ${Math.round(rps)} requests a second while profiled; ${file}`);
  print({ nodes, weights, requests: count });
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

/** A heap profile is a tree; what is printed goes by a list, as that of a CPU profile is. */
function flat(node) {
  return [node, ...node.children.flatMap(flat)];
}

function idsOfChildren({ id, callFrame, children }) {
  return { id, callFrame, children: children.map((child) => child.id) };
}

/** By function: what it weighs itself, and with what it calls. */
function print({ nodes, weights, requests }) {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const own = new Map();
  const total = new Map();
  const add = (map, key, weight) => map.set(key, (map.get(key) ?? 0) + weight);
  for (const [leaf, weight] of weights) {
    if (weight === 0) continue;
    const seen = new Set();
    for (let id = leaf; id !== undefined; id = parents.get(id)) {
      const label = labelOf(byId.get(id));
      if (id === leaf) add(own, label, weight);
      if (!seen.has(label)) add(total, label, weight);
      seen.add(label);
    }
  }
  const sum = [...weights.values()].reduce((all, weight) => all + weight, 0);
  const told = (weight) => kind.told(weight, { sum, requests }).padStart(7);
  const rows = Number(rowsShown);
  console.log(`${kind.unit}\n    own   total  function`);
  for (const [label, weight] of heaviest(own, rows)) {
    console.log(`${told(weight)} ${told(total.get(label))}  ${label}`);
  }
  console.log("\n  total  function");
  for (const [label, weight] of heaviest(total, 2 * rows)) console.log(`${told(weight)}  ${label}`);
}

function heaviest(weights, rows) {
  return [...weights].sort(([, a], [, b]) => b - a).slice(0, rows);
}

function labelOf({ callFrame: { functionName, lineNumber } }) {
  return lineNumber < 0 ? functionName : `${functionName || "(anonymous)"} :${lineNumber + 1}`;
}
