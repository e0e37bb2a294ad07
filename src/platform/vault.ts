/**
 * Secrets at rest: AES-256-GCM under a key derived from `DATA_KEY` for one purpose, which is also authenticated, so
 * that a ciphertext moved to another row opens nowhere. Source: NIST SP 800-38D; 96-bit random nonces.
 */
import { AppError } from "../kernel/errors";
import { randomBytes } from "./clock";
import { Deriver } from "./deriver";
import { fromBase64Url, toBase64Url, utf8 } from "./encoding";

const NONCE_BYTES = 12;

export class Vault {
  readonly #deriver: Deriver;

  /** @param dataKey `DATA_KEY`: 256 bits, base64url */
  constructor(dataKey: string) {
    this.#deriver = new Deriver(dataKey);
  }

  /** @param purpose whose secret it is: `webhook:<id>` */
  async encrypt(purpose: string, secret: string): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const key = await this.#keyOf(purpose);
    const algorithm = { name: "AES-GCM", iv: nonce, additionalData: utf8(purpose) };
    const ciphertext = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, utf8(secret)));
    const stored = new Uint8Array(NONCE_BYTES + ciphertext.length);
    stored.set(nonce);
    stored.set(ciphertext, NONCE_BYTES);
    return toBase64Url(stored);
  }

  /** **Errors**: `internal` when it was not encrypted here, for this purpose: `DATA_KEY` has changed, or the row was. */
  async decrypt(purpose: string, stored: string): Promise<string> {
    const bytes = fromBase64Url(stored);
    if (bytes === null || bytes.length <= NONCE_BYTES)
      throw new AppError("internal", "secret is not readable");
    const key = await this.#keyOf(purpose);
    const algorithm = { name: "AES-GCM", iv: bytes.slice(0, NONCE_BYTES), additionalData: utf8(purpose) };
    try {
      return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, bytes.slice(NONCE_BYTES)));
    } catch (error) {
      throw new AppError("internal", "secret is not readable", { cause: error });
    }
  }

  async #keyOf(purpose: string): Promise<CryptoKey> {
    const bytes = fromBase64Url(await this.#deriver.derive("vault", purpose));
    if (bytes === null) throw new TypeError("a derived key is base64url");
    return await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  }
}
