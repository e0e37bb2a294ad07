/** A small HTTP client for the demonstration: JSON in and out, each person at an address of their own. */
import { setTimeout as sleep } from "node:timers/promises";

const TIMEOUT_MS = 15_000;
const UNAVAILABLE_RETRIES_MAX = 5;

/**
 * @typedef {{status: number, headers: Headers, body: any}} Answer
 * @typedef {(method: string, path: string, options?: {json?: unknown, headers?: Record<string, string>, token?: string}) => Promise<Answer>} Call
 */

/**
 * @param {string} url where the server listens
 * @param {string} ip as whom to call: the edge would set this header itself, the local server passes it through
 * @returns {Call}
 */
export function clientAt(url, ip) {
  return async (method, path, { json, headers = {}, token } = {}) => {
    const request = {
      method,
      headers: {
        "CF-Connecting-IP": ip,
        ...(json === undefined ? {} : { "Content-Type": "application/json" }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    };
    for (let retries = 0; ; retries += 1) {
      const response = await fetch(`${url}${path}`, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await response.text();
      const answer = { status: response.status, headers: response.headers, body: parse(text) };
      if (answer.status !== 503 || retries >= UNAVAILABLE_RETRIES_MAX) return answer;
      await sleep(Number(answer.headers.get("Retry-After") ?? 1) * 1000);
    }
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * The answer, when it has the status that was expected.
 *
 * @param {Answer} answer
 * @param {number} status
 */
export function expectStatus(answer, status) {
  if (answer.status === status) return answer;
  throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body).slice(0, 500)}`);
}

/**
 * Asks until the answer is as it should be.
 *
 * @template T
 * @param {() => Promise<T | undefined>} ask
 * @param {{withinMs: number, what: string}} bound
 * @returns {Promise<T>}
 */
export async function eventually(ask, { withinMs, what }) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    // Each look at an analytics count spends one of the asker's hundred requests.
    await sleep(2_000);
  }
}
