/**
 * The route groups whose requests are admitted and charged. Paths of no group (`/healthz`, `/docs`, ...) are free. Every
 * group has the policy `default`, because revocations come with its leases; auth spends tighter budgets besides.
 */
const LIMITED = ["/api", "/graphql", "/rpc"] as const;

export function isLimited(path: string): boolean {
  return LIMITED.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}
