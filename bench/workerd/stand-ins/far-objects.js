/**
 * Durable Objects at a distance: the Worker's binding leads to classes made here, one for each of its own and with the
 * same methods, which wait, count, and call the object of the same name in the Worker itself.
 */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { delaysOf } from "./delay.js";

/** In all, and by method. */
const counts = { objectCalls: 0 };
let delay;

/** @param {string} namespace name of the binding that leads to the real objects */
export function farClass(namespace, methods) {
  class Far extends DurableObject {}
  for (const method of methods) {
    Far.prototype[method] = async function (...args) {
      delay ??= delaysOf(this.env.DELAYS, this.env.SEED);
      counts.objectCalls += 1;
      counts[method] = (counts[method] ?? 0) + 1;
      await delay("object");
      return await this.env[namespace].getByName(this.ctx.id.name)[method](...args);
    };
  }
  return Far;
}

export class Control extends WorkerEntrypoint {
  counts() {
    return counts;
  }
}
