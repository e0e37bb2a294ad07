import { expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "../../../src/platform/encoding";

test("bytes of every value and length come back as they were", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (let length = 0; length <= bytes.length; length += 1) {
    const text = toBase64Url(bytes.subarray(0, length));
    expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
    expect(fromBase64Url(text)).toEqual(bytes.slice(0, length));
  }
});

test.each([
  ["padding", "AA=="],
  ["bits that belong to no byte", "AB"],
  ["a single last character", "AAAAA"],
  ["white space", "AA AA"],
  ["a line feed at its end", "AAAA\n"],
  ["the other alphabet", "+/+/"],
  ["a character of none", "AA*A"],
])("text with %s is refused: one value has one text", (_, text) => {
  expect(fromBase64Url(text)).toBeNull();
});
