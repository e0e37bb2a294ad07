/**
 * The keys of trusted issuers, fetched from their JWK sets and kept. What is not found leads to one fetch and then to
 * none for a while: tokens with made-up key ids cannot make the Worker fetch in a loop.
 */
import { type CryptoKey, importJWK } from "jose";
import { AppError } from "../../kernel/errors";
import { onFirstCall } from "../../kernel/on-first-call";
import * as z from "../../kernel/schema";
import type { TrustedIssuer } from "../../platform/env";
import type { FetchJson } from "../../platform/fetch-json";
import type { Logger } from "../../platform/observability/logger";

/** After so long the set is fetched again when it is next needed: a key that its issuer withdrew is gone by then. */
const FRESH_MS = 600_000;
/** An issuer that does not answer is believed on its old set for so long. */
const STALE_MS = 86_400_000;
/** Between two fetches of one set. */
export const COOL_DOWN_MS = 30_000;

const jwkSetSchema = onFirstCall(() =>
  z.object({
    keys: z
      .array(
        z.looseObject({
          kty: z.string(),
          kid: z.optional(z.string()),
          use: z.optional(z.string()),
          alg: z.optional(z.string()),
        }),
      )
      .check(z.maxLength(100)),
  }),
);
type ForeignJwk = z.Made<typeof jwkSetSchema>["keys"][number];

interface KnownSet {
  readonly keys: readonly ForeignJwk[];
  readonly fetchedAt: number;
  readonly imported: Map<string, CryptoKey>;
}

/** What an isolate knows of foreign keys: values only. */
export class ForeignKeyMemory {
  readonly sets = new Map<string, KnownSet>();
  readonly triedAt = new Map<string, number>();
}

export class ForeignKeys {
  readonly #memory: ForeignKeyMemory;
  readonly #fetchJson: FetchJson;
  readonly #log: Logger;

  constructor(memory: ForeignKeyMemory, fetchJson: FetchJson, log: Logger) {
    this.#memory = memory;
    this.#fetchJson = fetchJson;
    this.#log = log;
  }

  /**
   * The issuer's key of that id, for that algorithm; null when its set has none.
   * **Errors**: `unavailable` when no set was ever had. **Cost**: at most one fetch in `COOL_DOWN_MS` for each issuer.
   */
  async find(
    issuer: TrustedIssuer,
    kid: string,
    algorithm: string,
    nowMs: number,
  ): Promise<CryptoKey | null> {
    const known = this.#memory.sets.get(issuer.issuer);
    const isFresh = known !== undefined && nowMs - known.fetchedAt < FRESH_MS;
    if (isFresh && known.keys.some((key) => key.kid === kid)) return await keyOf(known, kid, algorithm);
    const set = await this.#refetch(issuer, known, nowMs);
    return await keyOf(set, kid, algorithm);
  }

  async #refetch(
    { issuer, jwksUrl }: TrustedIssuer,
    known: KnownSet | undefined,
    nowMs: number,
  ): Promise<KnownSet> {
    const triedAt = this.#memory.triedAt.get(issuer) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - triedAt < COOL_DOWN_MS) return usable(known, nowMs);
    // With a set at hand the first to ask blocks the others' way at once; without one all who come may try.
    if (known !== undefined) this.#memory.triedAt.set(issuer, nowMs);
    try {
      const { keys } = jwkSetSchema().parse(await this.#fetchJson(jwksUrl));
      const set = { keys, fetchedAt: nowMs, imported: new Map<string, CryptoKey>() };
      this.#memory.sets.set(issuer, set);
      return set;
    } catch (cause) {
      const old = usable(known, nowMs, cause);
      this.#log.log("warn", "auth.issuer_keys_stale", { error: cause });
      return old;
    } finally {
      this.#memory.triedAt.set(issuer, nowMs);
    }
  }
}

/** @param cause why there is no newer one, if that was tried now */
function usable(known: KnownSet | undefined, nowMs: number, cause?: unknown): KnownSet {
  if (known !== undefined && nowMs - known.fetchedAt < STALE_MS) return known;
  throw new AppError("unavailable", "a trusted issuer's keys cannot be had", {
    retryAfterSeconds: 30,
    cause,
  });
}

async function keyOf(set: KnownSet, kid: string, algorithm: string): Promise<CryptoKey | null> {
  const name = `${algorithm} ${kid}`;
  const known = set.imported.get(name);
  if (known !== undefined) return known;
  const jwk = set.keys.find((key) => key.kid === kid);
  // A key is for one algorithm when its set says so. Source: RFC 8725, section 3.1.
  if (jwk?.alg !== undefined && jwk.alg !== algorithm) return null;
  // A symmetric key in a public set is nobody's secret.
  if (jwk === undefined || jwk.kty === "oct" || (jwk.use !== undefined && jwk.use !== "sig")) return null;
  try {
    const { d: _, use: _use, kid: _kid, alg: _alg, ...publicJwk } = jwk;
    const key = await importJWK(publicJwk, algorithm);
    if (key instanceof Uint8Array) return null;
    set.imported.set(name, key);
    return key;
  } catch {
    return null;
  }
}
