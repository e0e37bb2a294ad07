/**
 * The Worker that a development server runs while the build is broken: it answers every request with the build's
 * message. Without it the last Worker is gone, and requests wait for the next one.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./tools.mjs";

/** A message of a queue, and an alarm of an object, wait for a Worker that can handle them. */
const RETRY_SECONDS = 60;

/**
 * Returns the Worker as an ES module. It exports what `src/worker.ts` exports, because workerd looks for the classes of
 * the bindings.
 *
 * @param {string} message of the build
 * @param {string} root the project
 * @returns {string}
 */
export function brokenWorker(message, root = ROOT) {
  const objects = namesIn(join(root, "wrangler.toml"), /^class_name = "(\w+)"/gm);
  const exported = namesIn(join(root, "src/worker.ts"), /^export \{([^}]*)\}/gm).flatMap((list) =>
    list.split(",").map((name) => name.trim().split(/\s+/).at(-1)),
  );
  const classes = [...new Set([...objects, ...exported.filter((name) => /^[A-Z]\w*$/.test(name))])];
  return `import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
const MESSAGE = ${JSON.stringify(`The build is broken. It starts again when a file is saved.\n\n${message}`)};
export default {
  fetch: () => new Response(MESSAGE, { status: 500, headers: { "Content-Type": "text/plain; charset=utf-8" } }),
  queue: (batch) => batch.retryAll({ delaySeconds: ${RETRY_SECONDS} }),
  scheduled: () => {},
};
class WaitingObject extends DurableObject {
  async alarm() {
    await this.ctx.storage.setAlarm(Date.now() + ${RETRY_SECONDS * 1000});
  }
}
${classes.map((name) => `export class ${name} extends ${objects.includes(name) ? "WaitingObject" : "WorkerEntrypoint"} {}`).join("\n")}
`;
}

function namesIn(file, pattern) {
  return [...readFileSync(file, "utf8").matchAll(pattern)].map(([, name]) => name);
}
