/**
 * The signing keys: a fixed JWK set out of `JWT_SIGNING_KEYS`. The first signs, all verify, so that tokens of the key
 * before a rotation stay good until they expire.
 */
import { type CryptoKey, importJWK, type JWK } from "jose";
import type * as z from "../../kernel/schema";
import type { SigningKey } from "../../platform/env";
import type { publicKeySchema } from "./schemas";

export const SIGNING_ALGORITHM = "ES256";

export type PublicKey = z.Model<typeof publicKeySchema>;

/** Values only, imported keys included: one set may serve all requests of an isolate. */
export class KeySet {
  readonly #keys: readonly SigningKey[];
  readonly #imported = new Map<string, CryptoKey>();

  /** @param keys at least one, `kid`s distinct */
  constructor(keys: readonly SigningKey[]) {
    if (keys.length === 0) throw new TypeError("the key set is empty");
    if (new Set(keys.map((key) => key.kid)).size < keys.length)
      throw new TypeError("two signing keys share a kid");
    this.#keys = keys;
  }

  /** What `GET /.well-known/jwks.json` answers. Members are chosen one by one, so that nothing private slips through. */
  published(): { readonly keys: readonly PublicKey[] } {
    return { keys: this.#keys.map(toPublic) };
  }

  async signer(): Promise<{ readonly kid: string; readonly key: CryptoKey }> {
    const [first] = this.#keys;
    if (first === undefined) throw new TypeError("the key set is empty");
    return {
      kid: first.kid,
      key: await this.#import(`sign ${first.kid}`, { ...toPublic(first), d: first.d }),
    };
  }

  /** The public key of that name, or null: a token never brings its own. */
  async verifier(kid: string): Promise<CryptoKey | null> {
    const key = this.#keys.find((candidate) => candidate.kid === kid);
    return key === undefined ? null : await this.#import(`verify ${kid}`, toPublic(key));
  }

  async #import(name: string, jwk: JWK): Promise<CryptoKey> {
    const known = this.#imported.get(name);
    if (known !== undefined) return known;
    const key = await importJWK(jwk, SIGNING_ALGORITHM);
    if (key instanceof Uint8Array) throw new TypeError("an EC key cannot be symmetric");
    this.#imported.set(name, key);
    return key;
  }
}

function toPublic({ kid, x, y }: SigningKey): PublicKey {
  return { kty: "EC", crv: "P-256", kid, x, y, alg: SIGNING_ALGORITHM, use: "sig" };
}
