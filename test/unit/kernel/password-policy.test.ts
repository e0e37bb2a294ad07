import { expect, test } from "vitest";
import { passwordViolations } from "../../../src/kernel/password-policy";

const OWNER = { name: "Ada Lovelace-Byron", email: "ada.lovelace@example.com" };

function codesOf(password: string): string[] {
  return passwordViolations(password, OWNER, "#/password").map((violation) => violation.code);
}

test.each([
  "correct horse battery staple",
  "sufficiently-long-passphrase",
  "四つの言葉で作る長い合言葉です",
  "пароль-который-не-угадать",
  "👩🏽‍🚀 über 🌊 die 🌍 hinaus",
  "v9$kQ2!mZp0x",
  "            x ",
  "a".repeat(60) + "b".repeat(68),
  "x".repeat(128),
  "aB3$".repeat(16),
])("accepts the uncommon password %s", (password) => {
  expect(codesOf(password)).toEqual([]);
});

test.each([
  ["eleven code points", "v9$kQ2!mZp0"],
  ["eleven astral code points, which are 22 UTF-16 units", "🌊🌍🚀🔥🌈🍀🎲🎯🧩🪐⚡"],
])("refuses %s as too short", (_, password) => {
  expect(codesOf(password)).toEqual(["too_short"]);
});

test("accepts 128 code points and refuses 129, counted after NFKC", () => {
  const long = Array.from({ length: 128 }, (_, index) => String.fromCodePoint(0x4e00 + index * 7)).join("");
  expect(codesOf(long)).toEqual([]);
  expect(codesOf(`${long}x`)).toEqual(["too_long"]);
  // One ligature that NFKC writes as eighteen letters.
  expect(codesOf(`${long.slice(0, 120)}\ufdfa`)).toEqual(["too_long"]);
});

test.each([
  "password1234",
  "Password123!",
  "P@ssw0rd1234",
  "passwordpassword",
  "123456789012",
  "1234567890123456",
  "qwertyuiop12345",
  "qwertyuiopasdf",
  "1q2w3e4r5t6y",
  "zyxwvutsrqpo",
  "aaaaaaaaaaaa",
  "abc123abc123abc123",
  "iloveyou1234",
  "WelcomeHello2026!",
  "administrator",
  "letmeinplease",
  "ｐａｓｓｗｏｒｄ１２３４",
])("refuses the common password %s", (password) => {
  expect(codesOf(password)).toEqual(["too_common"]);
});

test.each(["Ada Lovelace-Byron", "ADALOVELACEBYRON", "ada.lovelace@example.com", "ada_lovelace_"])(
  "refuses the owner's own name or address: %s",
  (password) => {
    expect(codesOf(password.padEnd(12, "-"))).toEqual(["is_identity"]);
  },
);

test("refuses a lone surrogate, which no two encoders agree on", () => {
  expect(codesOf("twelve chars\ud800 and more")).toEqual(["invalid_text"]);
});

test("points at the field it was given and never repeats the password", () => {
  const [violation] = passwordViolations("password1234", null, "#/newPassword");
  expect(violation?.pointer).toBe("#/newPassword");
  expect(JSON.stringify(violation)).not.toContain("password1234");
});
