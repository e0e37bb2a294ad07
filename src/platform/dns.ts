/** Names to addresses, over HTTPS: a Worker has no resolver of its own. Source: RFC 8484; developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json */
import { AppError } from "../kernel/errors";

export type Resolve = (hostname: string) => Promise<readonly string[]>;

const RESOLVER = "https://cloudflare-dns.com/dns-query";
const DEADLINE_MS = 3_000;
const RECORD_TYPES = { A: 1, AAAA: 28 } as const;
/** The two answers that say which addresses there are: NOERROR and NXDOMAIN. Source: RFC 1035, section 4.1.1. */
const CONCLUSIVE: readonly unknown[] = [0, 3];

/**
 * Every address of a name, of both families; empty when it has none.
 * **Errors**: `unavailable` when the resolver does not answer, or cannot tell (SERVFAIL, REFUSED).
 */
export const resolveOverHttps: Resolve = async (hostname) => {
  const answers = await Promise.all([ask(hostname, "A"), ask(hostname, "AAAA")]);
  return answers.flat();
};

async function ask(hostname: string, type: keyof typeof RECORD_TYPES): Promise<string[]> {
  const url = `${RESOLVER}?name=${encodeURIComponent(hostname)}&type=${type}`;
  let body: unknown;
  try {
    const response = await fetch(url, {
      headers: { Accept: "application/dns-json" },
      // The answer decides what may be called, so it must be the resolver's own.
      redirect: "manual",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    body = await response.json();
  } catch (error) {
    throw new AppError("unavailable", "the name resolver did not answer", { cause: error });
  }
  if (!CONCLUSIVE.includes((body as { Status?: unknown } | null)?.Status))
    throw new AppError("unavailable", "the name resolver could not tell");
  return addressesIn(body, RECORD_TYPES[type]);
}

function addressesIn(body: unknown, type: number): string[] {
  const answers = (body as { Answer?: unknown } | null)?.Answer;
  if (!Array.isArray(answers)) return [];
  return answers
    .filter((each: { type?: unknown; data?: unknown }) => each.type === type && typeof each.data === "string")
    .map((each: { data: string }) => each.data);
}
