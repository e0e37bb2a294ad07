/**
 * Calls a version that gets no traffic yet, by an override. A platform that does not apply the override routes by
 * percentage, so to the old version: `/readyz` names the version that answers, before and after the other calls.
 * Source: developers.cloudflare.com/workers/versions-and-deployments/version-overrides
 */

const TIMEOUT_MS = 15_000;
/** A new deployment takes seconds to be known everywhere, and an isolate to start. */
const ARRIVAL_TRIES = 30;
const ARRIVAL_PAUSE_MS = 2_000;
const ARRIVALS_IN_A_ROW = 3;

/**
 * @typedef {object} Means
 * @property {typeof globalThis.fetch} fetch
 * @property {(ms: number) => Promise<unknown>} sleep rejects when the run is interrupted
 * @property {AbortSignal} interrupted
 */

/**
 * Tests a version: readiness, a refused login, and the list of products twice.
 *
 * @param {Means} means
 * @param {{address: string, worker: string, version: string}} options
 * **Errors**: a sentence that names the call and its answer
 * **Cost**: seven requests, when the version is there at once
 */
export async function smokeTest(means, options) {
  const call = caller(means, options);
  await arrive(means, call, options);
  await refuseLogin(call);
  const ids = await productIds(call);
  const again = await productIds(call);
  // A sale in between changes the stock, so the ids are what is compared.
  if (ids !== again) throw new Error("GET /api/products lists other products when it is called again");
  const { version } = await readiness(call);
  if (version !== options.version) throw wrongVersion(version, options);
}

function caller({ fetch, interrupted }, { address, worker, version }) {
  return async (method, path, body) => {
    const name = `${method} ${path}`;
    try {
      const response = await fetch(`${address}${path}`, {
        method,
        headers: {
          "Cloudflare-Workers-Version-Overrides": `${worker}="${version}"`,
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([interrupted, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      const json = await response.json().catch(() => undefined);
      return { name, status: response.status, headers: response.headers, json };
    } catch (error) {
      throw new Error(`${name} is not answered: ${error.cause?.code ?? error.message}`);
    }
  };
}

/** Waits until the version answers three times in a row, ready each time. */
async function arrive({ sleep }, call, options) {
  let inARow = 0;
  let last = { version: undefined, problem: undefined };
  for (let tries = 0; tries < ARRIVAL_TRIES; tries += 1) {
    last = await readiness(call).catch((problem) => ({ version: undefined, problem }));
    inARow = last.version === options.version && last.problem === undefined ? inARow + 1 : 0;
    if (inARow === ARRIVALS_IN_A_ROW) return;
    if (inARow === 0) await sleep(ARRIVAL_PAUSE_MS);
  }
  throw last.problem ?? wrongVersion(last.version, options);
}

/** Returns the version that answers, and the problem when it is not ready. */
async function readiness(call) {
  const answer = await call("GET", "/readyz");
  const problem = answer.status === 200 ? undefined : unexpected(answer, "200");
  return { version: answer.json?.version, problem };
}

function wrongVersion(version, options) {
  const answered = version === undefined ? "no version's name" : `version ${version}`;
  return new Error(`Requests for version ${options.version} are answered with ${answered}`);
}

async function refuseLogin(call) {
  const email = `smoke-test-${crypto.randomUUID()}@example.com`;
  const answer = await call("POST", "/api/auth/login", { email, password: crypto.randomUUID() });
  const isProblem = answer.headers.get("content-type")?.startsWith("application/problem+json") === true;
  const isRefused = answer.status === 401 && isProblem && answer.json?.code === "invalid_credentials";
  if (!isRefused) throw unexpected(answer, "401 invalid_credentials");
}

async function productIds(call) {
  const answer = await call("GET", "/api/products");
  const products = answer.json?.data;
  if (answer.status !== 200 || !Array.isArray(products)) throw unexpected(answer, "200 with a list");
  return products.map(({ id }) => id).join(" ");
}

function unexpected({ name, status, headers, json }, expected) {
  const requestId = headers.get("x-request-id");
  const said = [status, json?.code].filter((it) => it !== undefined).join(" ");
  return new Error(`${name} answers ${said}, not ${expected}${requestId ? ` (request ${requestId})` : ""}`);
}
