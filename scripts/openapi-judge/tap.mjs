/** Stands before Prism and writes down, of every call that passes, the operation, the status, and what Prism found. */
import { createServer, request as send } from "node:http";

/**
 * @typedef {object} Seen
 * @property {string} method
 * @property {string} path without its query
 * @property {number} status
 * @property {string[]} violations of the answer; those of the request were meant
 *
 * @param {number} prismPort
 * @returns {Promise<{url: string, seen: Seen[], close: () => void}>}
 */
export async function openTap(prismPort) {
  const seen = [];
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = send({ host: "127.0.0.1", port: prismPort, method, path: url, headers }, (answer) => {
      const { statusCode: status, headers: answered } = answer;
      seen.push({ method, path: url.split("?")[0], status, violations: violationsOf(answered) });
      outgoing.writeHead(status, answered);
      answer.pipe(outgoing);
    });
    onward.on("error", (error) => outgoing.destroy(error));
    incoming.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    seen,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A list in a header, of what is wrong with the request or the response. */
export function violationsOf(headers) {
  const found = JSON.parse(headers["sl-violations"] ?? "[]");
  return found
    .filter(({ location, message }) => location[0] === "response" || message === "Selected route not found")
    .map(({ location, message }) => `${location.join(".")}: ${message}`);
}

/**
 * What was judged, by operation: `/api/users/me` is not `/api/users/{id}`, though it looks like one.
 *
 * @param {object} document OpenAPI
 * @param {readonly Seen[]} seen
 * @returns {{id: string, statuses: Set<number>, successes: number[]}[]} `successes` are those that the document has
 */
export function coverageOf(document, seen) {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId, responses }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`),
      parameters: path.split("{").length,
      statuses: new Set(),
      successes: Object.keys(responses)
        .map(Number)
        .filter((status) => status < 300),
    })),
  );
  operations.sort((one, other) => one.parameters - other.parameters);
  for (const { method, path, status } of seen) {
    operations.find((it) => it.method === method && it.pattern.test(path))?.statuses.add(status);
  }
  return operations;
}
