/** Calls with a token of a trusted issuer. */
import { env } from "cloudflare:workers";
import { newId, systemClock } from "../../../src/platform/clock";
import { Deriver } from "../../../src/platform/deriver";
import { Sealer } from "../../../src/platform/sealing";
import { IdentityCache, newIdentityMemory } from "../../../src/services/auth/identity-cache";
import { ISSUER, newIssuer, type TestIssuer } from "../foreign-issuer";
import { settled, testScope } from "../scope";
import { TEST_SECRETS } from "../secrets";
import { type Ask, type BudgetRow, bearer, type Scene, storeCachedUser, storeProduct } from "./stage";

/** One for all rows, as the isolate remembers its keys. */
let issuer: TestIssuer | undefined;

/** What the issuer's address answers; null for any other. */
export function answerOfIssuer(url: string): Response | null {
  return issuer !== undefined && url.startsWith(ISSUER) ? Response.json(issuer.jwks) : null;
}

const KNOWN = "a foreign issuer's token; KV knows the subject";
/** It may take a round trip more. That of a first sight would show the new account's event as well, which is on its way beside. */
export const UNKNOWN_SUBJECT =
  "with an `Idempotency-Key` and a foreign issuer's token; KV does not know the subject";

const KEYED = () => ({ "Idempotency-Key": newId() });

export const FOREIGN_ROWS: readonly BudgetRow[] = [
  {
    endpoint: "GET /api/users/:id",
    variant: `${KNOWN} and the user`,
    status: 200,
    scene: () => asKnownSubject((id) => ({ path: `/api/users/${id}` })),
  },
  {
    endpoint: "PATCH /api/users/:id",
    variant: `with an \`Idempotency-Key\` and ${KNOWN}`,
    status: 200,
    scene: () =>
      asKnownSubject((id) => ({
        path: `/api/users/${id}`,
        json: { name: `Ada ${newId()}` },
        headers: KEYED(),
      })),
  },
  {
    endpoint: "POST /api/orders",
    variant: `with an \`Idempotency-Key\` and ${KNOWN}`,
    status: 201,
    scene: () => asKnownSubject(anOrder),
  },
  {
    endpoint: "POST /api/orders",
    variant: UNKNOWN_SUBJECT,
    status: 201,
    scene: async () => {
      const { subject } = await storeSubject();
      return await asSubject(subject, anOrder);
    },
  },
];

async function anOrder(): Promise<Ask> {
  const items = [{ productId: await storeProduct(), quantity: 1 }];
  return { path: "/api/orders", json: { items }, headers: KEYED() };
}

/** One whom another isolate has met. */
async function asKnownSubject(ask: (id: string) => Ask | Promise<Ask>): Promise<Scene> {
  const { id, subject } = await storeSubject();
  const cache = new IdentityCache({
    ...{ kv: env.USER_CACHE, memory: newIdentityMemory(), scope: testScope(systemClock) },
    ...{ deriver: new Deriver(TEST_SECRETS.DATA_KEY), sealer: new Sealer(TEST_SECRETS.DATA_KEY) },
  });
  const known = { userId: id, role: "user", epoch: 1, issuedFrom: 0, readAtMs: systemClock() } as const;
  cache.put(await cache.keyOf(ISSUER, subject), known);
  await settled();
  return await asSubject(subject, () => ask(id));
}

async function storeSubject(): Promise<{ readonly id: string; readonly subject: string }> {
  const [{ id }, subject] = [await storeCachedUser(), newId()];
  await env.DB.prepare(
    "insert into foreign_identities (issuer, subject, user_id, created_at) values (?, ?, ?, 0)",
  )
    .bind(ISSUER, subject, id)
    .run();
  return { id, subject };
}

async function asSubject(subject: string, ask: () => Ask | Promise<Ask>): Promise<Scene> {
  issuer ??= await newIssuer();
  const token = await issuer.token(subject, systemClock() - 1_000);
  return { client: bearer({ token }), overrides: { TRUSTED_ISSUERS: issuer.variable }, ask };
}
