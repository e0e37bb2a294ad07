/**
 * How the requests of a version went, read from Analytics Engine: the Worker writes a point of its version with every
 * flush of its metrics (src/services/operations/metrics/version-point.ts). A point is found there some time after it was written;
 * Cloudflare names no bound.
 * Source: developers.cloudflare.com/analytics/analytics-engine/sql-api
 */

/** Upper bounds of the buckets in seconds, as the Worker has them; the last one has no bound. */
export const BUCKETS_SECONDS = [
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  Number.POSITIVE_INFINITY,
];

const TIMEOUT_MS = 30_000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * @typedef {object} Figures
 * @property {number} requests answered HTTP requests
 * @property {number} failures of these, answered with a status of 500 or more
 * @property {number} p99Ms 0 when there was no request; 10 s when it is longer than the largest bound
 */

/**
 * Returns a function that reads the figures of versions since a time. A version without points has none of anything.
 *
 * @param {object} options
 * @param {() => Promise<{account: string, headers: Record<string, string>}>} options.login
 * @param {string | undefined} options.dataset
 * @param {typeof globalThis.fetch} options.fetch
 * @returns {(versions: readonly string[], fromMs: number) => Promise<Figures[]>} in the order of `versions`
 * **Errors**: one line, when Cloudflare does not answer, or the login may not read analytics
 * **Cost**: one call
 */
export function analyticsEngine({ login, dataset, fetch }) {
  return async (versions, fromMs) => {
    if (dataset === undefined) throw new Error("wrangler.toml names no dataset of Analytics Engine");
    const rows = await query({ login, fetch }, figuresQuery(dataset, versions, fromMs));
    return versions.map((version) => figuresOf(rows.find((row) => row.version === version)));
  };
}

/** @returns {string} */
function figuresQuery(dataset, versions, fromMs) {
  for (const version of versions) if (!UUID.test(version)) throw new Error(`${version} is no version's id`);
  const sums = ["requests", "failures", ...BUCKETS_SECONDS.map((_, index) => `bucket${index}`)];
  const columns = sums.map((name, index) => `SUM(_sample_interval * double${index + 1}) AS ${name}`);
  const wanted = versions.map((version) => `blob2 = '${version}'`).join(" OR ");
  // The name of a stage's dataset has a hyphen.
  const table = /^\w+$/.test(dataset) ? dataset : `"${dataset.replaceAll('"', "")}"`;
  return (
    `SELECT blob2 AS version, ${columns.join(", ")} FROM ${table} WHERE blob1 = 'version' AND (${wanted}) ` +
    `AND timestamp >= toDateTime(${Math.floor(fromMs / 1_000)}) GROUP BY version FORMAT JSON`
  );
}

async function query({ login, fetch }, sql) {
  const { account, headers } = await login();
  const base = process.env.CLOUDFLARE_API_BASE_URL ?? "https://api.cloudflare.com/client/v4";
  const response = await fetch(`${base}/accounts/${account}/analytics_engine/sql`, {
    method: "POST",
    headers,
    body: sql,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error) => {
    throw new Error(`Analytics Engine does not answer: ${error.cause?.code ?? error.message}`);
  });
  const text = await response.text();
  if (response.status === 401 || response.status === 403)
    throw new Error(
      "This login may not read the metrics of a version: its token needs the right Account Analytics: Read",
    );
  if (!response.ok)
    throw new Error(`Analytics Engine answers ${response.status}: ${text.slice(0, 200).trim()}`);
  const data = parsed(text)?.data;
  if (!Array.isArray(data)) throw new Error(`Analytics Engine answers no JSON: ${text.slice(0, 200).trim()}`);
  return data;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns {Figures} */
function figuresOf(row) {
  if (row === undefined) return { requests: 0, failures: 0, p99Ms: 0 };
  const counts = BUCKETS_SECONDS.map((_, index) => Number(row[`bucket${index}`]));
  return {
    requests: Number(row.requests),
    failures: Number(row.failures),
    p99Ms: quantileSeconds(0.99, counts) * 1_000,
  };
}

/**
 * Estimates a quantile from counts by bucket: the values are taken to lie evenly within their bucket.
 *
 * @param {number} quantile between 0 and 1
 * @param {readonly number[]} counts one for each of `BUCKETS_SECONDS`
 * @returns {number} seconds
 */
export function quantileSeconds(quantile, counts) {
  const rank = quantile * counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const lower = BUCKETS_SECONDS[index - 1] ?? 0;
    const upper = BUCKETS_SECONDS[index];
    if (count > 0 && below + count >= rank)
      return Number.isFinite(upper) ? lower + ((upper - lower) * (rank - below)) / count : lower;
    below += count;
  }
  return 0;
}
