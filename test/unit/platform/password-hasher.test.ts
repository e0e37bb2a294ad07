import { expect, test } from "vitest";
import { AppError } from "../../../src/kernel/errors";
import { HashSlots, PasswordHasher } from "../../../src/platform/password-hasher";

const PASSWORD = "correct horse battery staple";
const CHEAP = { logN: 4, blockSize: 8, parallelization: 1 };

function hasherWith(parameters = CHEAP, slots = new HashSlots()): PasswordHasher {
  return new PasswordHasher(() => 0, slots, parameters);
}

test("a hash names its own parameters and holds for its password alone", async () => {
  const hasher = new PasswordHasher(() => 0, new HashSlots());
  const stored = await hasher.hash(PASSWORD);
  expect(stored).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await hasher.verify(PASSWORD, stored)).toEqual({ isMatch: true, needsRehash: false });
  expect(await hasher.verify(`${PASSWORD}x`, stored)).toEqual({ isMatch: false, needsRehash: false });
});

test("a hash can be checked by any scrypt: RFC 7914, section 12, third vector", async () => {
  // scrypt("pleaseletmein", "SodiumChloride", N=16384, r=8, p=1), its first 32 bytes.
  const salt = btoa("SodiumChloride").replace(/=+$/, "");
  const hex = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2";
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const hash = btoa(String.fromCharCode(...bytes)).replace(/=+$/, "");
  const check = await hasherWith().verify("pleaseletmein", `$scrypt$ln=14,r=8,p=1$${salt}$${hash}`);
  expect(check).toEqual({ isMatch: true, needsRehash: true });
});

test("two hashes of one password share no salt", async () => {
  const hasher = hasherWith();
  expect(await hasher.hash(PASSWORD)).not.toBe(await hasher.hash(PASSWORD));
});

test("a password matches however a keyboard composes it", async () => {
  const hasher = hasherWith();
  const stored = await hasher.hash("pa\u0308sswörter im Wald");
  expect((await hasher.verify("p\u00e4sswo\u0308rter im Wald", stored)).isMatch).toBe(true);
});

test("the 128th character counts: nothing is cut off", async () => {
  const hasher = hasherWith();
  const stored = await hasher.hash(`${"x".repeat(127)}a`);
  expect((await hasher.verify(`${"x".repeat(127)}b`, stored)).isMatch).toBe(false);
});

test("a right password under older parameters asks to be hashed anew, a wrong one does not", async () => {
  const stored = await hasherWith({ ...CHEAP, parallelization: 2 }).hash(PASSWORD);
  expect(await hasherWith().verify(PASSWORD, stored)).toEqual({ isMatch: true, needsRehash: true });
  expect(await hasherWith().verify("wrong horse", stored)).toEqual({ isMatch: false, needsRehash: false });
});

test("an account that is not there never matches, not even by its decoy", async () => {
  expect(await hasherWith().verify(PASSWORD, null)).toEqual({ isMatch: false, needsRehash: false });
});

test("the fifth hash at once is refused with a time to come back, and the four are served", async () => {
  const hasher = hasherWith();
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => hasher.hash(PASSWORD)));
  const refused = results.filter((result) => result.status === "rejected");
  expect(refused).toHaveLength(1);
  expect(refused[0]?.reason).toBeInstanceOf(AppError);
  expect(refused[0]?.reason).toMatchObject({ code: "unavailable", retryAfterSeconds: 1 });
  await expect(hasher.hash(PASSWORD)).resolves.toContain("$scrypt$");
});

test("the check of an unknown account takes a slot as any other does", async () => {
  const hasher = hasherWith(CHEAP, new HashSlots(1));
  const results = await Promise.allSettled([hasher.verify(PASSWORD, null), hasher.verify(PASSWORD, null)]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected"]);
});

test("the slot of a request that was cancelled comes back after ten seconds", () => {
  const slots = new HashSlots(1);
  expect(slots.take(0)).not.toBeNull();
  expect(slots.take(10_000)).toBeNull();
  expect(slots.take(10_001)).not.toBeNull();
});

test("a stored value that is not ours is a bug, not a mismatch", async () => {
  await expect(hasherWith().verify(PASSWORD, "plain text")).rejects.toThrow(TypeError);
});
