/**
 * Secrets derived from `DATA_KEY`: the same purpose and input always give the same 256 bits, and nobody without the
 * key can tell them from random ones. So a secret need not be stored to be had again.
 * Source: RFC 2104 (HMAC); purposes are separated as in RFC 5869, section 3.2.
 */
import { toBase64Url, utf8 } from "./encoding";
import { type Hmac, hmacUnderDataKey } from "./hmac";

export class Deriver {
  readonly #hmac: Hmac;

  /** @param dataKey `DATA_KEY`: 256 bits, base64url */
  constructor(dataKey: string) {
    this.#hmac = hmacUnderDataKey(dataKey);
  }

  /** 43 characters of base64url. @param purpose without a line feed; two purposes never give one secret */
  async derive(purpose: string, input: string): Promise<string> {
    return toBase64Url(await this.#hmac(utf8(`meridian derive\n${purpose}\n${input}`)));
  }
}
