/**
 * The configuration of the Worker's process for a bundle, made of its `wrangler.toml`: the Worker as it is deployed, with
 * its Durable Objects, and the stand-ins that cannot be reached over HTTP or are not on the platform either (mail, the
 * rate limiting binding, Analytics Engine). Its stores are another process: `stores-config.mjs`. Delays, counts and
 * deliveries live in the stand-ins; the bundle knows nothing of them.
 */
import {
  bindingOf,
  configOf,
  controlBindingOf,
  delayBindingsOf,
  externalService,
  internalModuleOf,
  list,
  moduleOf,
  namespaceOf,
  serviceOf,
  socketOf,
  standIn,
  standInModules,
  text,
  workerService,
} from "./capnp.mjs";
import { CONSUMER, d1Name, kvName, queueName, storeNames } from "./stores-config.mjs";

/**
 * @typedef {object} Setup
 * @property {object} wrangler  the configuration as wrangler reads it
 * @property {readonly {name: string, source: string}[]} modules  of the built Worker, the entry first
 * @property {Record<string, string>} vars  variables and secrets, over those of the configuration
 * @property {Record<string, string[]>} objects  methods of each Durable Object class, for those at a distance
 * @property {Record<string, {p50: number, p99: number}> | null} delays  see `planet.mjs`
 * @property {boolean} isCounting  whether calls to objects are counted, and messages delivered to the consumer
 * @property {number} seed
 */

/** @param {Setup} setup */
export function workerConfig(setup) {
  const { wrangler, delays, isCounting } = setup;
  const isFar = (delays !== null || isCounting) && objectsOf(wrangler).length > 0;
  return configOf({
    services: [
      workerService("worker", {
        modules: setup.modules.map(({ name, source }) => moduleOf(name, source)),
        date: wrangler.compatibility_date,
        flags: wrangler.compatibility_flags,
        bindings: bindingsOf(setup, isFar),
        classes: objectsOf(wrangler).map(({ class_name }) => class_name),
      }),
      ...storeNames(wrangler).map((name) => externalService(name)),
      standIn(CONSUMER, "consumer", { bindings: [bindingOf("WORKER", serviceOf("worker"))] }),
      ...wrangler.send_email.map(({ name }) => standIn(`mail-${name}`, "mail")),
      ...(isFar ? [farService(setup)] : []),
      standIn("control", "control", {
        bindings: [
          ...wrangler.send_email.map(({ name }) => controlBindingOf("MAIL", name, `mail-${name}`)),
          ...(isFar ? [controlBindingOf("FAR", "OBJECTS", "far-objects")] : []),
        ],
      }),
    ],
    sockets: [socketOf("http", "worker"), socketOf(CONSUMER), socketOf("control")],
    modules: ["rate-limit", "analytics"].map(internalModuleOf),
  });
}

function bindingsOf({ wrangler, vars }, isFar) {
  return [
    ...Object.entries({ ...wrangler.vars, ...vars }).map(([name, value]) =>
      bindingOf(name, `text = ${text(value)}`),
    ),
    ...wrangler.kv_namespaces.map((kv) => bindingOf(kv.binding, `kvNamespace = ${text(kvName(kv))}`)),
    ...wrangler.d1_databases.map((d1) =>
      bindingOf(
        d1.binding,
        wrapped("cloudflare-internal:d1-api", [bindingOf("fetcher", serviceOf(d1Name(d1)))]),
      ),
    ),
    ...wrangler.queues.producers.map((queue) =>
      bindingOf(queue.binding, `queue = ${text(queueName(queue))}`),
    ),
    ...wrangler.send_email.map(({ name }) => bindingOf(name, serviceOf(`mail-${name}`))),
    ...wrangler.analytics_engine_datasets.map(({ binding }) =>
      bindingOf(binding, wrapped("bench:analytics")),
    ),
    ...versionOf(wrangler),
    ...wrangler.ratelimits.map(({ name, simple }) => bindingOf(name, rateLimit(simple))),
    ...objectsOf(wrangler).map(({ name, class_name }) =>
      bindingOf(name, namespaceOf(class_name, isFar ? "far-objects" : "worker")),
    ),
  ];
}

/** A binding that a module makes of others. */
function wrapped(module, bindings = []) {
  return `wrapped = ( moduleName = ${text(module)}, innerBindings = ${list(bindings)} )`;
}

function rateLimit(simple) {
  return wrapped(
    "bench:rate-limit",
    Object.entries(simple).map(([key, value]) => bindingOf(key, `json = ${text(String(value))}`)),
  );
}

/** The version's metadata, which the platform makes up for each upload. */
function versionOf({ version_metadata }) {
  if (version_metadata === undefined) return [];
  const metadata = { id: "bench", tag: "", timestamp: "" };
  return [bindingOf(version_metadata.binding, `json = ${text(JSON.stringify(metadata))}`)];
}

function objectsOf({ durable_objects }) {
  return durable_objects.bindings;
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
  return workerService("far-objects", {
    modules: [moduleOf("main.js", code), ...standInModules("far-objects")],
    bindings: [
      ...delayBindingsOf(setup),
      ...objects.map(({ name, class_name }) => bindingOf(name, namespaceOf(class_name, "worker"))),
    ],
    classes: objects.map(({ class_name }) => class_name),
  });
}
