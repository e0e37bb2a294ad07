/** Access tokens as each side issues them, for users of the seed. Made here, for a thousand logins would take minutes. */
import { randomUUID } from "node:crypto";
import { importJWK, SignJWT } from "jose";
import { TEST_SECRETS } from "../test/support/secrets.ts";

const PINNED = { issuer: "https://meridian.example", audience: "meridian" };
const LIFE = "2h";
/** Of the peers: 256 bits. */
export const HS256_SECRET = "a secret of the benchmark, 32 bytes or more";

/** @returns {(user: {id: string, role: "user" | "admin"}) => Promise<string>} */
export async function projectTokens() {
  const [jwk] = JSON.parse(TEST_SECRETS.JWT_SIGNING_KEYS).keys;
  const key = await importJWK(jwk, "ES256");
  return async ({ id, role }) =>
    await claimed(new SignJWT({ sid: randomUUID(), role, epoch: 1 }), id)
      .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: jwk.kid })
      .setJti(randomUUID())
      .sign(key);
}

/** HS256, as the peers issue them. */
export async function peerTokens() {
  const key = new TextEncoder().encode(HS256_SECRET);
  return async ({ id, role }) =>
    await claimed(new SignJWT({ role, sid: randomUUID() }), id)
      .setProtectedHeader({ alg: "HS256" })
      .sign(key);
}

function claimed(jwt, id) {
  return jwt
    .setIssuer(PINNED.issuer)
    .setAudience(PINNED.audience)
    .setSubject(id)
    .setIssuedAt()
    .setExpirationTime(LIFE);
}
