/**
 * What of a call may lie in the database: digests under `DATA_KEY` of who called and what was asked, for a body may
 * hold a password; and the answer's body encrypted, for it holds personal data.
 */
import { AppError } from "../../kernel/errors";
import { randomBytes } from "../clock";
import { Deriver } from "../deriver";
import { fromBase64Url, toBase64Url, utf8 } from "../encoding";

/** Source: NIST SP 800-38D, section 5.2.1.1: 96 bits, random; one key stays far below 2^32 messages. */
const NONCE_BYTES = 12;

export class Vault {
  readonly #deriver: Deriver;

  /** @param dataKey `DATA_KEY`: 256 bits, base64url */
  constructor(dataKey: string) {
    this.#deriver = new Deriver(dataKey);
  }

  /** Equal for equal texts of one purpose, and says nothing of the text to who lacks the key. */
  async digest(purpose: "call" | "request", text: string): Promise<string> {
    return await this.#deriver.derive(`idempotency ${purpose}`, text);
  }

  /** @param boundTo the text opens nowhere else */
  async encrypt(text: string, boundTo: string): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const sealed = await crypto.subtle.encrypt(aesGcm(nonce, boundTo), await this.#key(), utf8(text));
    const joined = new Uint8Array(NONCE_BYTES + sealed.byteLength);
    joined.set(nonce);
    joined.set(new Uint8Array(sealed), NONCE_BYTES);
    return toBase64Url(joined);
  }

  /** **Errors**: `internal` when the text was not encrypted here, for this place. */
  async decrypt(stored: string, boundTo: string): Promise<string> {
    const bytes = fromBase64Url(stored);
    if (bytes === null) throw new AppError("internal", "an idempotency record is not base64url");
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const sealed = bytes.subarray(NONCE_BYTES);
    const opened = await crypto.subtle.decrypt(aesGcm(nonce, boundTo), await this.#key(), sealed);
    return new TextDecoder().decode(opened);
  }

  async #key(): Promise<CryptoKey> {
    const bytes = fromBase64Url(await this.#deriver.derive("idempotency body", ""));
    if (bytes === null) throw new AppError("internal", "a derived key is not base64url");
    return await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  }
}

function aesGcm(nonce: Uint8Array<ArrayBuffer>, boundTo: string) {
  return { name: "AES-GCM", iv: nonce, additionalData: utf8(boundTo) };
}
