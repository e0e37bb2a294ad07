/**
 * Secrets derived from `DATA_KEY`: the same purpose and input always give the same 256 bits, and nobody without the
 * key can tell them from random ones. So a secret need not be stored to be had again.
 * Source: RFC 2104 (HMAC); purposes are separated as in RFC 5869, section 3.2.
 */
import { fromBase64Url, toBase64Url, utf8 } from "./encoding";

export class Deriver {
  readonly #dataKey: string;
  #key: Promise<CryptoKey> | undefined;

  /** @param dataKey `DATA_KEY`: 256 bits, base64url */
  constructor(dataKey: string) {
    this.#dataKey = dataKey;
  }

  /** 43 characters of base64url. @param purpose without a line feed; two purposes never give one secret */
  async derive(purpose: string, input: string): Promise<string> {
    const message = utf8(`meridian derive\n${purpose}\n${input}`);
    this.#key ??= importHmacKey(this.#dataKey);
    return toBase64Url(await crypto.subtle.sign("HMAC", await this.#key, message));
  }
}

async function importHmacKey(dataKey: string): Promise<CryptoKey> {
  const bytes = fromBase64Url(dataKey);
  if (bytes === null) throw new TypeError("DATA_KEY is not base64url");
  return await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}
