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

const LINE = /^(\s*JWT_SIGNING_KEYS\s*=\s*)(.*)$/m;

/** The set in a `.dev.vars` file's text, or in a JSON file's. */
export function readSet(text) {
  const json = text.trimStart().startsWith("{") ? text : LINE.exec(text)?.[2];
  if (json === undefined) throw new Error("there is no JWT_SIGNING_KEYS in it");
  const set = JSON.parse(json.trim().replace(/^'(.*)'$/, "$1"));
  if (!Array.isArray(set?.keys) || set.keys.length === 0) throw new Error("it holds no JWK set");
  return set;
}

/** The same text with another set, everything else as it was. */
export function writeSet(text, set) {
  const json = JSON.stringify(set);
  // A function, for `$` in a replacement text would mean something.
  return text.trimStart().startsWith("{") ? `${json}\n` : text.replace(LINE, (_, start) => `${start}${json}`);
}
