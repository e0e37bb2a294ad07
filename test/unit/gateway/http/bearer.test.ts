import { expect, test } from "vitest";
import { bearerOf } from "../../../../src/gateway/http/bearer";

test.each([
  ["Bearer abc.d-e_f~g+h/i==", "abc.d-e_f~g+h/i=="],
  ["bearer   chosen!by{a}person ", "chosen!by{a}person"],
  ["Bearer", null],
  ["Bearer ", null],
  ["Bearer two words", null],
  ["Bearer caf\u00e9", null],
  ["Basic YTpi", null],
  ["xBearer abc", null],
  ["", null],
  [undefined, null],
])("of %j the token is %j", (header, token) => {
  expect(bearerOf(header)).toBe(token);
});
