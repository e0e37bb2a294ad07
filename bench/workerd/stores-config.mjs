/**
 * The configuration of the stores' process: what the platform keeps on other machines and a Worker reaches over HTTP (KV,
 * D1, Queues), each on a socket of its own. In the Worker's process their work would be charged to the Worker, and a read
 * of KV would be a function call.
 */
import {
  bindingOf,
  configOf,
  controlBindingOf,
  delayBindingsOf,
  externalService,
  namespaceOf,
  serviceOf,
  socketOf,
  standIn,
  text,
} from "./capnp.mjs";

export const kvName = ({ binding }) => `kv-${binding}`;
export const d1Name = ({ binding }) => `d1-${binding}`;
export const queueName = ({ binding }) => `queue-${binding}`;
/** Beside the Worker, where the queues deliver: see `stand-ins/consumer.js`. */
export const CONSUMER = "consumer";

/** Of the sockets, each the name of a service; none when the Worker has no store. */
export function storeNames({ kv_namespaces, d1_databases, queues }) {
  return [...kv_namespaces.map(kvName), ...d1_databases.map(d1Name), ...queues.producers.map(queueName)];
}

/** @param {import("./worker-config.mjs").Setup} setup */
export function storesConfig(setup) {
  const { kv_namespaces, d1_databases, queues } = setup.wrangler;
  return configOf({
    services: [
      ...kv_namespaces.map((kv) => standIn(kvName(kv), "kv", { bindings: delayBindingsOf(setup) })),
      ...d1_databases.map((d1) => databaseService(d1Name(d1), setup)),
      ...queues.producers.map((producer) => queueService(producer, setup)),
      externalService(CONSUMER),
      standIn("control", "control", {
        bindings: [
          ...kv_namespaces.map((kv) => controlBindingOf("KV", kv.binding, kvName(kv))),
          ...d1_databases.map((d1) => controlBindingOf("D1", d1.binding, d1Name(d1))),
          ...queues.producers.map((queue) => controlBindingOf("QUEUE", queue.binding, queueName(queue))),
        ],
      }),
    ],
    sockets: [...storeNames(setup.wrangler), "control"].map((name) => socketOf(name)),
  });
}

function databaseService(name, setup) {
  return standIn(name, "d1", {
    bindings: [...delayBindingsOf(setup), bindingOf("DATABASE", namespaceOf("Database", name))],
    classes: ["Database"],
  });
}

function queueService(producer, setup) {
  const consumed = setup.wrangler.queues.consumers.map(({ queue }) => queue);
  const isDelivered = setup.isCounting && consumed.includes(producer.queue);
  return standIn(queueName(producer), "queue", {
    bindings: [
      ...delayBindingsOf(setup),
      bindingOf("QUEUE", `text = ${text(producer.queue)}`),
      ...(isDelivered ? [bindingOf("CONSUMER", serviceOf(CONSUMER))] : []),
    ],
  });
}
