/**
 * The rotation of signing keys. A set is, in this order:
 *
 * ```
 * signer     signs and verifies
 * next       verifies already, and signs after the next rotation: by then every isolate and cache has heard of it
 * previous   verify what they signed; two are kept
 * ```
 * So a token is never met by an isolate that does not know its key, not even while a new set is being rolled out.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readVars } from "./dev-vars.mjs";

const PREVIOUS_KEPT = 2;

/**
 * The set after one rotation. The first one of a set without a `next` has to sign with a key that is new to all.
 *
 * @param {{keys: {kid: string, next?: boolean}[]}} set
 * @param {() => {kid: string}} newKey
 * @returns {{keys: {kid: string, next?: boolean}[]}}
 */
export function rotated({ keys }, newKey = newSigningKey) {
  const promoted = keys.find((key) => key.next === true) ?? newKey();
  const { next: _, ...signer } = promoted;
  const previous = keys.filter((key) => key !== promoted).slice(0, PREVIOUS_KEPT);
  return { keys: [signer, { ...newKey(), next: true }, ...previous] };
}

/** A private P-256 JWK. */
export function newSigningKey(date = new Date()) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = `${date.toISOString().slice(0, 10)}-${randomBytes(4).toString("hex")}`;
  return { kid, alg: "ES256", use: "sig", ...privateKey.export({ format: "jwk" }) };
}

const LINE = /^(\s*(?:export\s+)?JWT_SIGNING_KEYS\s*=\s*)(.*)$/m;

const isJson = (text) => text.trimStart().startsWith("{");

/**
 * Returns the set in a `.dev.vars` file's text, or in a JSON file's.
 *
 * @param {string} text
 * @param {string} [file] its name, for messages
 * **Errors**: one line, which never shows a part of the set
 */
export function readSet(text, file = ".dev.vars") {
  const json = isJson(text) ? text : readVars(text, file).get("JWT_SIGNING_KEYS");
  if (json === undefined) throw new Error(`${file} has no JWT_SIGNING_KEYS`);
  const set = parsed(json);
  if (!Array.isArray(set?.keys) || set.keys.length === 0)
    throw new Error(
      `JWT_SIGNING_KEYS in ${file} is not a JWK set: is it cut off? Restore it, or delete it and run npm start`,
    );
  return set;
}

/**
 * Returns the same text with another set, everything else as it was.
 *
 * **Errors**: one line when the text could not be read back, for example because the old set takes several lines
 */
export function writeSet(text, set, file = ".dev.vars") {
  const json = JSON.stringify(set);
  // A function, because `$` in a replacement text would mean something.
  const next = isJson(text) ? `${json}\n` : text.replace(LINE, (_, start) => `${start}${json}`);
  if (JSON.stringify(parsed(isJson(next) ? next : readVars(next, file).get("JWT_SIGNING_KEYS"))) !== json)
    throw new Error(`${file} must hold JWT_SIGNING_KEYS once and on one line`);
  return next;
}

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
