/** Calls Cloudflare's API with the login of wrangler, for the little that wrangler does not do safely. */

const TIMEOUT_MS = 30_000;

/**
 * Returns a function that calls the API under one account. It looks for the login when it is first called.
 *
 * @param {(args: readonly string[]) => Promise<{code: number, stdout: string}>} wrangler
 * @param {string | undefined} accountId `account_id` of the configuration
 * @returns {import("../deployment.mjs").Account["api"]}
 */
export function cloudflareApi(wrangler, accountId) {
  let login;
  return async (method, path, body) => {
    login ??= readLogin(wrangler, accountId);
    const { account, headers } = await login;
    const base = process.env.CLOUDFLARE_API_BASE_URL ?? "https://api.cloudflare.com/client/v4";
    const response = await fetch(`${base}/accounts/${account}${path}`, {
      method,
      headers: { ...headers, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error) => ({ ok: false, status: error.message, json: async () => ({}) }));
    const { success, result, errors = [] } = await response.json().catch(() => ({}));
    if (response.ok && success) return { result };
    const said = errors.map(({ code, message }) => `${message} [code: ${code}]`).join("; ");
    return { errors: `Cloudflare says: ${said || response.status}.` };
  };
}

/**
 * Returns the account and the headers of wrangler's login.
 *
 * @param {(args: readonly string[]) => Promise<{code: number, stdout: string}>} wrangler
 * @param {string | undefined} accountId `account_id` of the configuration
 * @returns {Promise<{account: string, headers: Record<string, string>}>}
 */
export async function readLogin(wrangler, accountId) {
  const { code, stdout } = await wrangler(["auth", "token", "--json"]);
  if (code !== 0) throw new Error("wrangler auth token fails: npx wrangler login");
  const { type, token, key, email } = JSON.parse(stdout);
  const headers =
    type === "api_key" ? { "X-Auth-Key": key, "X-Auth-Email": email } : { Authorization: `Bearer ${token}` };
  return {
    headers,
    account: accountId ?? process.env.CLOUDFLARE_ACCOUNT_ID ?? (await onlyAccount(wrangler)),
  };
}

async function onlyAccount(wrangler) {
  const { code, stdout } = await wrangler(["whoami", "--json"]);
  const accounts = code === 0 ? JSON.parse(stdout).accounts : [];
  if (accounts.length !== 1) throw new Error("Which account? Put account_id into wrangler.toml");
  return accounts[0].id;
}
