import { expect, test } from "vitest";
import { toBase64Url, utf8 } from "../../../src/platform/encoding";
import { hmacUnder, hmacUnderDataKey } from "../../../src/platform/hmac";

/** Source: RFC 4231, sections 4.3 and 4.7. */
const VECTORS: readonly (readonly [key: Uint8Array<ArrayBuffer>, message: string, mac: string])[] = [
  [
    utf8("Jefe"),
    "what do ya want for nothing?",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [
    new Uint8Array(131).fill(0xaa),
    "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
];

test.each(VECTORS)("key %# gives the published value, again and again", async (key, message, mac) => {
  const hmac = hmacUnder(() => key);
  expect((await hmac(utf8(message))).toHex()).toBe(mac);
  expect((await hmac(utf8(message))).toHex()).toBe(mac);
  expect((await hmacUnderDataKey(toBase64Url(key))(utf8(message))).toHex()).toBe(mac);
});

test("a DATA_KEY that is not base64url fails at the first message, not when the request begins", async () => {
  const hmac = hmacUnderDataKey("not base64url!");
  await expect(hmac(utf8("message"))).rejects.toThrow("DATA_KEY is not base64url");
});
