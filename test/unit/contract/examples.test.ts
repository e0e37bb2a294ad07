/** Examples are what the code makes and takes: each is parsed by its schema, and each token by the code that reads it. */
import { describe, expect, test } from "vitest";
import * as full from "zod";
import { EVENT_DATA } from "../../../contract/events";
import { CURSOR, EXAMPLES } from "../../../contract/examples";
import { OPERATIONS, openApiDocument } from "../../../contract/openapi";
import { Deriver } from "../../../src/platform/deriver";
import { purposeOf } from "../../../src/platform/keyset";
import { Sealer } from "../../../src/platform/sealing";
import { AccessTokens } from "../../../src/services/auth/access-tokens";
import { KeySet } from "../../../src/services/auth/key-set";
import { oneTimeTokenOf } from "../../../src/services/auth/one-time-tokens";
import { deviceLabel, locationLabel } from "../../../src/services/auth/origin";
import { chainOf } from "../../../src/services/auth/refresh-chain";
import { TokenMemory } from "../../../src/services/auth/token-memory";
import { listProductsSchema } from "../../../src/services/orders";
import { newSecret } from "../../../src/services/webhooks/signature";
import { TEST_SECRETS } from "../../support/secrets";

type Json = Record<string, unknown>;
const document = openApiDocument("0.0.0") as Json;

interface Shown {
  readonly where: string;
  readonly schema: unknown;
  readonly example: unknown;
}

/** Every example of the document with the schema beside it: bodies, headers, parameters. */
const shown = [...walk(document, "#")];

function* walk(node: unknown, where: string): Generator<Shown> {
  if (typeof node !== "object" || node === null) return;
  const { schema, example, examples } = node as Json;
  if (schema !== undefined) {
    if (example !== undefined) yield { where, schema, example };
    for (const [name, each] of Object.entries((examples as Json) ?? {}))
      yield { where: `${where}/${name}`, schema, example: (resolved(each) as Json).value };
  }
  for (const [key, child] of Object.entries(node)) yield* walk(child, `${where}/${key}`);
}

/** The value with each reference replaced by what it leads to. zod takes a `uri-reference` for a whole URL, so that goes. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== "object" || value === null) return value;
  const { $ref, ...rest } = value as Json;
  if (typeof $ref !== "string") {
    const { format, ...others } = rest;
    const members = Object.entries(format === "uri-reference" ? others : rest);
    return Object.fromEntries(members.map(([key, child]) => [key, resolved(child)]));
  }
  const path = $ref.slice(2).split("/");
  return resolved(path.reduce<unknown>((at, key) => (at as Json)[key], document));
}

test("every example in the document is accepted by the schema beside it", () => {
  expect(shown.length).toBeGreaterThan(100);
  const wrong = shown.flatMap(({ where, schema, example }) => {
    const { error } = full
      .fromJSONSchema(resolved(schema) as Parameters<typeof full.fromJSONSchema>[0])
      .safeParse(example);
    return error === undefined ? [] : [`${where}: ${error.message}`];
  });
  expect(wrong).toEqual([]);
});

test("no example is left that no call shows", () => {
  const used = OPERATIONS.flatMap(({ body, answers }) => [
    body?.example,
    ...answers.map(({ example }) => example),
  ]);
  expect(Object.keys(EXAMPLES).filter((name) => !used.includes(name as keyof typeof EXAMPLES))).toEqual([]);
});

test("the event has the data of its type, and its schema is where `dataschema` leads", () => {
  const { data, dataschema, type, subject } = EXAMPLES.event;
  expect(EVENT_DATA[type]().safeParse(data).error).toBeUndefined();
  expect(new URL(dataschema).pathname).toBe(`/events/${type}/v1`);
  expect(subject).toBe(data.userId);
});

describe("tokens", () => {
  const deriver = new Deriver(TEST_SECRETS.DATA_KEY);

  test("the access token is one that is issued for the user and verified with the keys shown", async () => {
    const { accessToken, expiresIn } = EXAMPLES.tokenPair;
    const [{ kid }] = EXAMPLES.jsonWebKeySet.keys;
    const keys = new KeySet([{ ...JSON.parse(TEST_SECRETS.JWT_SIGNING_KEYS).keys[0], kid }]);
    expect(EXAMPLES.jsonWebKeySet).toEqual(keys.published());
    const { id, createdAt, expiresAt } = EXAMPLES.session;
    const tokens = new AccessTokens({
      ...{ keys, issuer: "https://meridian.example", audience: "meridian", ttlSeconds: expiresIn },
      ...{ clock: () => Date.parse(createdAt), memory: new TokenMemory() },
    });
    const { jti } = partsOf(accessToken).claims as { jti: string };
    const issued = await tokens.issue({
      ...{ tokenId: jti, userId: EXAMPLES.user.id, sessionId: id, role: EXAMPLES.user.role, epoch: 1 },
      sessionExpiresAt: Date.parse(expiresAt),
    });
    expect(partsOf(accessToken), `now issued: ${issued.token}`).toEqual(partsOf(issued.token));
    expect(await tokens.verify(accessToken)).toMatchObject({ ok: true });
    expect(issued.expiresIn).toBe(expiresIn);
  });

  test("refresh tokens have the form that a refresh takes", async () => {
    for (const { refreshToken } of [EXAMPLES.tokenPair, EXAMPLES.logInAnswer, EXAMPLES.refresh])
      expect(await chainOf(deriver, refreshToken)).not.toBeNull();
  });

  test("one-time tokens are those that a mail about the event would carry", async () => {
    const { id } = EXAMPLES.event;
    expect(EXAMPLES.resetPassword.token).toBe(await oneTimeTokenOf(deriver, "password_reset", id));
    expect(EXAMPLES.verifyEmail.token).toBe(await oneTimeTokenOf(deriver, "email_verification", id));
  });

  test("the cursor opens for the list of products", async () => {
    const purpose = purposeOf("products.list", null, listProductsSchema().parse({}));
    const { id, createdAt } = EXAMPLES.product;
    const position = await new Sealer(TEST_SECRETS.DATA_KEY).open(purpose, CURSOR);
    expect(position).toMatchObject({ id, key: Date.parse(createdAt) });
  });

  test("a webhook's secret is one that is made for it", () => {
    const { secret } = EXAMPLES.webhookWithSecret;
    expect(newSecret(Uint8Array.fromBase64(secret.replace(/^whsec_/, "")))).toBe(secret);
  });
});

test("a session shows a device and a place as they are written", () => {
  const { device, location } = EXAMPLES.session;
  const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
  expect(device).toBe(deviceLabel(firefox));
  expect(location).toBe(locationLabel({ city: "London", country: "GB" }));
});

/** Header and claims of a JWT. */
function partsOf(token: string): { readonly header: unknown; readonly claims: unknown } {
  const [header, claims] = token
    .split(".")
    .map((part, index) =>
      index < 2
        ? JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(part, { alphabet: "base64url" })))
        : null,
    );
  return { header, claims };
}
