/** How often a property is tried. */
import { env } from "cloudflare:workers";

/** The short count in `npm test`, the long one in `npm run judge -- properties`. */
export function runs({ short, long }: { readonly short: number; readonly long: number }): number {
  return env.TEST_RUNS === "long" ? long : short;
}
