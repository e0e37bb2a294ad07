/**
 * The capnp configuration of plain workerd for a bundle, made of its `wrangler.toml`: the Worker as it is deployed, and
 * the stand-ins that its bindings lead to, which speak the real protocols. Delays, counts and deliveries live in the
 * stand-ins; the bundle knows nothing of them. The schema: node_modules/workerd/workerd.capnp.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const STAND_INS = join(dirname(fileURLToPath(import.meta.url)), "stand-ins");
/** A stand-in of a Queue calls its consumer. */
const FLAGS = ["service_binding_extra_handlers"];

const text = (value) => JSON.stringify(value);
const list = (items) => `[ ${items.join(", ")} ]`;

/** Code, so that a stand-in that is bundled nowhere needs no path. */
const moduleOf = (name, source) => `( name = ${text(name)}, esModule = ${text(source)} )`;
const standInSource = (name) => readFileSync(join(STAND_INS, `${name}.js`), "utf8");
const bindingOf = (name, value) => `( name = ${text(name)}, ${value} )`;
const serviceOf = (name, entrypoint) =>
  `service = ( name = ${text(name)}${entrypoint === undefined ? "" : `, entrypoint = ${text(entrypoint)}`} )`;
const namespaceOf = (className, service) =>
  `durableObjectNamespace = ( className = ${text(className)}, serviceName = ${text(service)} )`;

/**
 * @typedef {object} Setup
 * @property {object} wrangler  the configuration as wrangler reads it
 * @property {string} bundle    the built Worker's code
 * @property {Record<string, string>} vars  variables and secrets, over those of the configuration
 * @property {Record<string, string[]>} objects  methods of each Durable Object class, for those at a distance
 * @property {Record<string, {p50: number, p99: number}> | null} delays  see `planet.mjs`
 * @property {boolean} isCounting  whether calls to objects are counted, and messages delivered to the consumer
 * @property {number} seed
 */

/** @param {Setup} setup */
export function capnpOf(setup) {
  const { wrangler, delays, isCounting } = setup;
  const isFar = delays !== null || isCounting;
  const services = [
    workerService(setup, isFar),
    ...kvServices(setup),
    ...d1Services(setup),
    ...queueServices(setup),
    ...wrangler.send_email.map(({ name }) => standIn(`mail-${name}`, "mail")),
    ...(isFar && objectsOf(wrangler).length > 0 ? [farService(setup)] : []),
    '( name = "disk", disk = ( path = "objects", writable = true ) )',
    controlService(setup, isFar),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")}
  ],
  sockets = [
    ( name = "http", http = (), service = "worker" ),
    ( name = "control", http = (), service = "control" )
  ],
  extensions = [ ( modules = [ ${["rate-limit", "analytics"]
    .map((name) => `( name = "bench:${name}", internal = true, esModule = ${text(standInSource(name))} )`)
    .join(", ")} ] ) ]
);
`;
}

function workerService({ wrangler, bundle, vars }, isFar) {
  const bindings = [
    ...Object.entries({ ...wrangler.vars, ...vars }).map(([name, value]) =>
      bindingOf(name, `text = ${text(value)}`),
    ),
    ...wrangler.kv_namespaces.map(({ binding }) => bindingOf(binding, `kvNamespace = "kv-${binding}"`)),
    ...wrangler.d1_databases.map(({ binding }) =>
      bindingOf(
        binding,
        `wrapped = ( moduleName = "cloudflare-internal:d1-api", innerBindings = ${list([bindingOf("fetcher", serviceOf(`d1-${binding}`))])} )`,
      ),
    ),
    ...wrangler.queues.producers.map(({ binding }) => bindingOf(binding, `queue = "queue-${binding}"`)),
    ...wrangler.send_email.map(({ name }) => bindingOf(name, serviceOf(`mail-${name}`))),
    ...wrangler.analytics_engine_datasets.map(({ binding }) =>
      bindingOf(binding, 'wrapped = ( moduleName = "bench:analytics" )'),
    ),
    ...wrangler.ratelimits.map(({ name, simple }) =>
      bindingOf(
        name,
        `wrapped = ( moduleName = "bench:rate-limit", innerBindings = ${list(
          Object.entries(simple).map(([key, value]) => bindingOf(key, `json = ${text(String(value))}`)),
        )} )`,
      ),
    ),
    ...objectsOf(wrangler).map(({ name, class_name }) =>
      bindingOf(name, namespaceOf(class_name, isFar ? "far-objects" : "worker")),
    ),
  ];
  return service("worker", {
    modules: [moduleOf("worker.js", bundle)],
    date: wrangler.compatibility_date,
    flags: wrangler.compatibility_flags,
    bindings,
    classes: objectsOf(wrangler).map(({ class_name }) => class_name),
  });
}

function objectsOf({ durable_objects }) {
  return durable_objects.bindings;
}

function delayBindings({ delays, seed }) {
  return [
    bindingOf("DELAYS", `json = ${text(JSON.stringify(delays))}`),
    bindingOf("SEED", `json = ${text(String(seed))}`),
  ];
}

function kvServices(setup) {
  return setup.wrangler.kv_namespaces.map(({ binding }) =>
    standIn(`kv-${binding}`, "kv", { bindings: delayBindings(setup) }),
  );
}

function d1Services(setup) {
  return setup.wrangler.d1_databases.map(({ binding }) =>
    standIn(`d1-${binding}`, "d1", {
      bindings: [...delayBindings(setup), bindingOf("DATABASE", namespaceOf("Database", `d1-${binding}`))],
      classes: ["Database"],
    }),
  );
}

function queueServices(setup) {
  const consumed = new Set(setup.wrangler.queues.consumers.map(({ queue }) => queue));
  return setup.wrangler.queues.producers.map(({ binding, queue }) => {
    const isDelivered = setup.isCounting && consumed.has(queue);
    return standIn(`queue-${binding}`, "queue", {
      bindings: [
        ...delayBindings(setup),
        bindingOf("QUEUE", `text = ${text(queue)}`),
        ...(isDelivered ? [bindingOf("CONSUMER", serviceOf("worker"))] : []),
      ],
    });
  });
}

function farService(setup) {
  const objects = objectsOf(setup.wrangler);
  const code = [
    'import { farClass } from "far-objects.js";',
    'export { Control } from "far-objects.js";',
    "export default { fetch: () => new Response(null, { status: 404 }) };",
    ...objects.map(
      ({ name, class_name }) =>
        `export const ${class_name} = farClass(${text(name)}, ${text(setup.objects[class_name] ?? [])});`,
    ),
  ].join("\n");
  return service("far-objects", {
    modules: [moduleOf("main.js", code), ...standInModules("far-objects")],
    bindings: [
      ...delayBindings(setup),
      ...objects.map(({ name, class_name }) => bindingOf(name, namespaceOf(class_name, "worker"))),
    ],
    classes: objects.map(({ class_name }) => class_name),
  });
}

function controlService({ wrangler }, isFar) {
  const control = (kind, name, target) => bindingOf(`${kind}_${name}`, serviceOf(target, "Control"));
  return standIn("control", "control", {
    bindings: [
      ...wrangler.kv_namespaces.map(({ binding }) => control("KV", binding, `kv-${binding}`)),
      ...wrangler.d1_databases.map(({ binding }) => control("D1", binding, `d1-${binding}`)),
      ...wrangler.queues.producers.map(({ binding }) => control("QUEUE", binding, `queue-${binding}`)),
      ...wrangler.send_email.map(({ name }) => control("MAIL", name, `mail-${name}`)),
      ...(isFar && objectsOf(wrangler).length > 0 ? [control("FAR", "OBJECTS", "far-objects")] : []),
    ],
  });
}

function standInModules(name) {
  return [moduleOf(`${name}.js`, standInSource(name)), moduleOf("delay.js", standInSource("delay"))];
}

function standIn(name, script, { bindings = [], classes = [] } = {}) {
  return service(name, { modules: standInModules(script), bindings, classes });
}

function service(name, { modules, bindings, classes = [], date = "2026-10-20", flags = FLAGS }) {
  const namespaces = classes.map(
    (className) =>
      `( className = ${text(className)}, uniqueKey = ${text(`${name}-${className}`)}, enableSql = true )`,
  );
  return `( name = ${text(name)}, worker = (
      modules = ${list(modules)},
      compatibilityDate = ${text(date)},
      compatibilityFlags = ${list(flags.map(text))},
      bindings = ${list(bindings)},
      durableObjectNamespaces = ${list(namespaces)}${namespaces.length === 0 ? "" : ',\n      durableObjectStorage = ( localDisk = "disk" )'}
    ) )`;
}
