/** Passwords: scrypt of `node:crypto` at Meridian's parameters, so that a login costs the same. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(scrypt);
/** 16 MiB. Source: OWASP Password Storage Cheat Sheet, scrypt. */
const OPTIONS = { N: 2 ** 14, r: 8, p: 5, maxmem: 64 * 1024 * 1024 };
const HASH_BYTES = 32;
const DECOY = { salt: Buffer.alloc(16), hash: Buffer.alloc(HASH_BYTES) };

/** `<salt>.<hash>`, base64url. */
export async function hashPassword(password) {
  const salt = randomBytes(16);
  const hash = await derive(password.normalize("NFKC"), salt, HASH_BYTES, OPTIONS);
  return `${salt.toString("base64url")}.${hash.toString("base64url")}`;
}

/** @param {string | null} stored null costs the same and never matches */
export async function isPassword(password, stored) {
  const { salt, hash } = stored === null ? DECOY : parse(stored);
  const derived = await derive(password.normalize("NFKC"), salt, HASH_BYTES, OPTIONS);
  return timingSafeEqual(derived, hash) && stored !== null;
}

function parse(stored) {
  const [salt, hash] = stored.split(".").map((part) => Buffer.from(part, "base64url"));
  return { salt, hash };
}
