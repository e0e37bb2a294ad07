/** HMAC-SHA-256. Source: RFC 2104. */
import { fromBase64Url } from "./encoding";

type Bytes = Uint8Array<ArrayBuffer>;

/** Returns the 32 bytes of a message under one key. */
export type Hmac = (message: Bytes) => Promise<Bytes>;

/** @param key is read and imported at the first message */
export function hmacUnder(key: () => Bytes): Hmac {
  let imported: Promise<CryptoKey> | undefined;
  return async (message) => {
    imported ??= crypto.subtle.importKey("raw", key(), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", await imported, message));
  };
}

/** @param dataKey `DATA_KEY`: 256 bits, base64url. **Errors**: the first message is a `TypeError` when it is not. */
export function hmacUnderDataKey(dataKey: string): Hmac {
  return hmacUnder(() => {
    const bytes = fromBase64Url(dataKey);
    if (bytes === null) throw new TypeError("DATA_KEY is not base64url");
    return bytes;
  });
}
