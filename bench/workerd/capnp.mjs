/**
 * Pieces of a configuration of plain workerd, as text. The schema: node_modules/workerd/workerd.capnp. No piece has an
 * address: workerd is told them when it starts, by the names of sockets and external services.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const STAND_INS = join(dirname(fileURLToPath(import.meta.url)), "stand-ins");
/** `consumer.js` calls a handler that is no `fetch`. */
const FLAGS = ["service_binding_extra_handlers"];
/** Where a Durable Object's rows lie: in the folder that the process runs in. */
export const OBJECTS_FOLDER = "objects";

export const text = (value) => JSON.stringify(value);
export const list = (items) => `[ ${items.join(", ")} ]`;

export const bindingOf = (name, value) => `( name = ${text(name)}, ${value} )`;
export const serviceOf = (name, entrypoint) =>
  `service = ( name = ${text(name)}${entrypoint === undefined ? "" : `, entrypoint = ${text(entrypoint)}`} )`;
export const namespaceOf = (className, service) =>
  `durableObjectNamespace = ( className = ${text(className)}, serviceName = ${text(service)} )`;
/** The benchmark's door to a stand-in: see `stand-ins/control.js`. */
export const controlBindingOf = (kind, name, target) =>
  bindingOf(`${kind}_${name}`, serviceOf(target, "Control"));
/** Of a stand-in that waits: see `stand-ins/delay.js`. */
export const delayBindingsOf = ({ delays, seed }) => [
  bindingOf("DELAYS", `json = ${text(JSON.stringify(delays))}`),
  bindingOf("SEED", `json = ${text(String(seed))}`),
];

/** Code, so that a stand-in that is bundled nowhere needs no path. */
export const moduleOf = (name, source) => `( name = ${text(name)}, esModule = ${text(source)} )`;
const standInSource = (name) => readFileSync(join(STAND_INS, `${name}.js`), "utf8");
export const standInModules = (name) => [
  moduleOf(`${name}.js`, standInSource(name)),
  moduleOf("delay.js", standInSource("delay")),
];
/** A module of the runtime, for a binding that is an object and no service. */
export const internalModuleOf = (name) =>
  `( name = "bench:${name}", internal = true, esModule = ${text(standInSource(name))} )`;

/** A service of another process, and a socket that it is reached at. */
export const externalService = (name) => `( name = ${text(name)}, external = ( http = () ) )`;
export const socketOf = (name, service = name) =>
  `( name = ${text(name)}, http = (), service = ${text(service)} )`;

/** @param {string} script of `stand-ins/` */
export function standIn(name, script, { bindings = [], classes = [] } = {}) {
  return workerService(name, { modules: standInModules(script), bindings, classes });
}

export function workerService(name, { modules, bindings, classes = [], date = "2026-10-20", flags = FLAGS }) {
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

/** A whole configuration. @param {{services: string[], sockets: string[], modules?: string[]}} parts */
export function configOf({ services, sockets, modules = [] }) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${[...services, `( name = "disk", disk = ( path = ${text(OBJECTS_FOLDER)}, writable = true ) )`].join(",\n    ")}
  ],
  sockets = ${list(sockets)},
  extensions = [ ( modules = ${list(modules)} ) ]
);
`;
}
