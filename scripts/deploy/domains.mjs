/**
 * Custom domains are attached by us, not by wrangler: without a terminal it sends `override_existing_origin` and
 * `override_existing_dns_record`, which take a domain from another Worker and replace DNS records. We send neither, so
 * Cloudflare refuses instead.
 */
import { hostOf } from "./routes.mjs";

/**
 * Stops when another Worker of the account has one of the domains. It runs before anything is changed. A token that may
 * not look is no reason to stop, because `attachDomains` takes nothing over either.
 *
 * @param {Pick<import("../deployment.mjs").Account, "api">} account
 * @param {string} worker
 * @param {readonly import("./routes.mjs").Route[]} domains
 * **Cost**: one call for each domain
 */
export async function refuseTakenDomains(account, worker, domains) {
  for (const host of domains.map(hostOf)) {
    const { result } = await account.api("GET", `/workers/domains?hostname=${encodeURIComponent(host)}`);
    const taken = (result ?? []).find((it) => it.hostname === host && it.service !== worker);
    if (taken !== undefined)
      throw new Error(
        `${host} belongs to the Worker ${taken.service}. Remove it there first, or name another domain`,
      );
  }
}

/**
 * Makes the list the Worker's custom domains.
 *
 * @param {Pick<import("../deployment.mjs").Account, "api">} account
 * @param {string} worker
 * @param {readonly import("./routes.mjs").Route[]} domains
 * **Errors**: what Cloudflare says, when a domain is another Worker's, or DNS records of other origins exist for it
 */
export async function attachDomains(account, worker, domains) {
  if (domains.length === 0) return;
  const origins = domains.map(({ pattern, custom_domain: _, ...route }) => ({ hostname: pattern, ...route }));
  const body = {
    override_scope: true,
    override_existing_origin: false,
    override_existing_dns_record: false,
    origins,
  };
  const { errors } = await account.api("PUT", `/workers/scripts/${worker}/domains/records`, body);
  if (errors === undefined) return;
  const hosts = domains.map(hostOf).join(", ");
  throw new Error(`Not attached: ${hosts}. ${errors} Nothing was taken over; remove what is there first`);
}
