/**
 * What we hand out and want back unchanged: text under an HMAC of `DATA_KEY`, bound to a purpose, so that a seal made
 * for one list, sort, filter and actor opens nowhere else.
 */
import { fromBase64Url, toBase64Url, utf8 } from "./encoding";
import { type Hmac, hmacUnderDataKey } from "./hmac";

const TAG_BYTES = 16;

export class Sealer {
  readonly #hmac: Hmac;

  /** @param dataKey `DATA_KEY`: 256 bits, base64url */
  constructor(dataKey: string) {
    this.#hmac = hmacUnderDataKey(dataKey);
  }

  /** Base64url of tag and content. The content is readable by its holder, not secret. */
  async seal(purpose: string, content: unknown): Promise<string> {
    const text = utf8(JSON.stringify(content));
    const tag = await this.#tag(purpose, text);
    const sealed = new Uint8Array(TAG_BYTES + text.length);
    sealed.set(tag);
    sealed.set(text, TAG_BYTES);
    return toBase64Url(sealed);
  }

  /** The content, or null when it was not sealed here, for this purpose, as it stands. */
  async open(purpose: string, sealed: string): Promise<unknown> {
    const bytes = fromBase64Url(sealed);
    if (bytes === null || bytes.length <= TAG_BYTES) return null;
    const text = bytes.subarray(TAG_BYTES);
    const tag = await this.#tag(purpose, text);
    if (!crypto.subtle.timingSafeEqual(tag, bytes.subarray(0, TAG_BYTES))) return null;
    return JSON.parse(new TextDecoder().decode(text));
  }

  async #tag(purpose: string, text: Uint8Array): Promise<Uint8Array> {
    const prefix = utf8(`meridian seal\n${purpose.length}\n${purpose}\n`);
    const message = new Uint8Array(prefix.length + text.length);
    message.set(prefix);
    message.set(text, prefix.length);
    return (await this.#hmac(message)).subarray(0, TAG_BYTES);
  }
}
