/**
 * Rows written are what a write costs, in D1's price and in the primary's time: each row counts, and each entry of an
 * index that it gets. Counted by D1 itself, so an index too many fails here.
 */
import { expect, test } from "vitest";
import { systemClock } from "../../src/platform/clock";
import type { Consumer } from "../../src/platform/outbox";
import { signToken } from "../support/accounts";
import { sendCounted } from "../support/counted-app";
import { crowdId, fill } from "../support/crowd";
import { bench, commitEvent, dispatcher, handOver } from "../support/outbox";

const USER = crowdId("user", 7);

/** Each with its sequence's counter: an event with its id, type and subject, an audit row with its actor and subject. */
const [EVENT, AUDIT] = [5, 4];
/** Each of an event's deliveries, with the time it is due. */
const DELIVERY = 2;

test.each([
  ["an age", { age: 40 }, 1],
  ["a name, by which lists are sorted", { name: "Ada Byron" }, 2],
  ["a profile, which is a row of its own", { profile: { bio: "Countess" } }, 2],
])("a PATCH of %s writes the user, the event, one delivery and the audit row", async (_, change, own) => {
  await fill({ first: 0, last: 9 }, systemClock());
  const token = await signToken({ userId: USER, role: "user" });
  const spent = await send(`/api/users/${USER}`, "PATCH", change, { Authorization: `Bearer ${token}` });
  expect(spent).toBe(own + EVENT + DELIVERY + AUDIT);
});

test("a sign-up writes the user and its profile, what its neighbours are counted by, the event, three deliveries and the audit row", async () => {
  const [user, profile, attempts] = [5, 2, 2];
  const spent = await send("/api/users", "POST", { name: "Ada Lovelace", email: "ada@example.com" });
  expect(spent).toBe(user + profile + attempts + EVENT + 3 * DELIVERY + AUDIT);
});

const act = async () => undefined;
const KINDS: readonly (readonly [kind: string, written: number, consumer: Consumer])[] = [
  ["transactional", 1, { kind: "transactional", prepare: () => ({ statements: [] }) }],
  ["repeatable", 1, { kind: "external", isRepeatable: true, act }],
  ["external", 2, { kind: "external", act }],
];

test.each(KINDS)(
  "settling a delivery of a %s consumer costs %i rows written",
  async (_, written, consumer) => {
    const on = bench();
    const eventId = await commitEvent(on);
    const before = on.scope.calls.d1RowsWritten;
    const { acked } = await handOver([{ eventId, consumer: "mail" }], (batch) =>
      dispatcher(on, { mail: consumer }).dispatch(batch),
    );
    expect(acked).toBe(1);
    expect(on.scope.calls.d1RowsWritten - before).toBe(written);
  },
);

/** @returns rows written before the answer */
async function send(path: string, method: string, json: object, more: HeadersInit = {}): Promise<number> {
  const headers = new Headers(more);
  headers.set("Content-Type", "application/json");
  headers.set("CF-Connecting-IP", "198.51.100.7");
  const request = new Request(`https://meridian.example${path}`, {
    method,
    headers,
    body: JSON.stringify(json),
  });
  const { response, before } = await sendCounted(request);
  expect(response.ok).toBe(true);
  return before.d1RowsWritten;
}
