/** An `Idempotency-Key` over every protocol: what makes two calls the same, another call, or a reused key. */
import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Account, createAccount, createAdmin } from "../../support/accounts";
import { countOf } from "../../support/orders";
import { SPEAKERS } from "../../support/speakers";

interface Asked {
  readonly code: string;
  readonly version: number | undefined;
  /** Unknown over a binding, which has no headers. */
  readonly isReplayed: boolean | null;
}

interface Protocol {
  readonly name: string;
  update(by: Account, id: string, patch: object, key: string, version?: number): Promise<Asked>;
  delete(by: Account, id: string, key: string): Promise<Asked>;
}

const keyed = (by: Account, key: string) => ({ ...by, headers: { "Idempotency-Key": key } });
const entrypoint = (by: Account, role: string) =>
  exports.UsersEntrypoint({ props: { actor: { kind: "user", userId: by.id, role } } });

const BINDING: Protocol = {
  name: "a service binding",
  async update(by, id, patch, idempotencyKey, expectedVersion) {
    const options = { idempotencyKey, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
    const outcome = await entrypoint(by, "admin").update(id, patch, options);
    return outcome.ok
      ? { code: "ok", version: outcome.value.version, isReplayed: null }
      : { code: outcome.refusal.code, version: undefined, isReplayed: null };
  },
  async delete(by, id, idempotencyKey) {
    const outcome = await entrypoint(by, "admin").delete(id, { idempotencyKey });
    return { code: outcome.ok ? "ok" : outcome.refusal.code, version: undefined, isReplayed: null };
  },
};

const PROTOCOLS: readonly Protocol[] = [
  ...SPEAKERS.map((speaker) => ({
    name: speaker.name,
    async update(by: Account, id: string, patch: object, key: string, version?: number) {
      const { code, value, isReplayed } = await speaker.updateUser(keyed(by, key), id, { ...patch }, version);
      return { code, version: value?.version, isReplayed };
    },
    async delete(by: Account, id: string, key: string) {
      const { code, isReplayed } = await speaker.deleteUser(keyed(by, key), id);
      return { code, version: undefined, isReplayed };
    },
  })),
  BINDING,
];

const PAIRS = PROTOCOLS.flatMap((first) =>
  PROTOCOLS.filter((second) => second !== first).map(
    (second) => [first.name, second.name, first, second] as const,
  ),
);

test.each(PAIRS)(
  "a key used over %s is refused over %s, and nothing is done",
  async (_a, _b, first, second) => {
    const [admin, ada] = [await createAdmin(), await createAccount()];
    expect(await first.update(admin, ada.id, { age: 36 }, "key")).toMatchObject({ code: "ok", version: 2 });
    expect((await second.update(admin, ada.id, { age: 36 }, "key")).code).toBe("idempotency_key_reused");
    expect((await ada.call(`/api/users/${ada.id}`)).json.version).toBe(2);
  },
);

describe.each(PROTOCOLS.map((protocol) => [protocol.name, protocol] as const))(
  "over %s",
  (_name, protocol) => {
    test("the same call is answered again, as its first answer", async () => {
      const [admin, ada] = [await createAdmin(), await createAccount()];
      const first = await protocol.update(admin, ada.id, { age: 36 }, "key", 1);
      const second = await protocol.update(admin, ada.id, { age: 36 }, "key", 1);
      expect([first.code, second.code, second.version]).toEqual(["ok", "ok", 2]);
      expect([first.isReplayed, second.isReplayed]).toEqual(
        first.isReplayed === null ? [null, null] : [false, true],
      );
      expect(await countOf("idempotency_records")).toBe(1);
    });

    test("another input and another expected version are refused", async () => {
      const [admin, ada] = [await createAdmin(), await createAccount()];
      await protocol.update(admin, ada.id, { age: 36 }, "key", 1);
      expect((await protocol.update(admin, ada.id, { age: 37 }, "key", 1)).code).toBe(
        "idempotency_key_reused",
      );
      expect((await protocol.update(admin, ada.id, { age: 36 }, "key", 2)).code).toBe(
        "idempotency_key_reused",
      );
      expect((await protocol.update(admin, ada.id, { age: 36 }, "key")).code).toBe("idempotency_key_reused");
      expect((await ada.call(`/api/users/${ada.id}`)).json).toMatchObject({ age: 36, version: 2 });
    });

    test("another target and another use case have a key of their own", async () => {
      const [admin, ada, bob] = [await createAdmin(), await createAccount(), await createAccount()];
      for (const { id } of [ada, bob])
        expect(await protocol.update(admin, id, { age: 36 }, "key")).toMatchObject({
          code: "ok",
          version: 2,
        });
      expect((await protocol.delete(admin, ada.id, "key")).code).toBe("ok");
      expect((await protocol.delete(admin, ada.id, "key")).code).toBe("ok");
      expect(await countOf("idempotency_records")).toBe(3);
    });
  },
);

test("mutations of one GraphQL document have a key each, by their aliases", async () => {
  const [admin, ada] = [await createAdmin(), await createAccount()];
  const query = `mutation ($id: ID!) {
    first: updateUser(id: $id, input: { age: 36 }) { version }
    second: updateUser(id: $id, input: { age: 37 }) { version }
  }`;
  const send = async () =>
    (
      await admin.call("/graphql", {
        json: { query, variables: { id: ada.id } },
        headers: { "Idempotency-Key": "key" },
      })
    ).json.data;
  const answered = { first: { version: 2 }, second: { version: 3 } };
  expect(await send()).toEqual(answered);
  expect(await send()).toEqual(answered);
  expect((await ada.call(`/api/users/${ada.id}`)).json).toMatchObject({ age: 37, version: 3 });
});
