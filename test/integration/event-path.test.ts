import { expect, test } from "vitest";
import { EVENT_DATA } from "../../contract/events";
import { EVENT_CATALOGUE, isEventType } from "../../src/jobs/event-catalogue";
import { createAccount, createAdmin } from "../support/accounts";
import { call } from "../support/client";
import { rowsOf } from "../support/outbox";

const TOKEN = { token: "events-token-for-tests" };

test("a sign-up over HTTP reaches every consumer over the real queue: the mail is sent, the day counts one more", async () => {
  const created = await call("/api/users", { json: { name: "Ada Lovelace", email: "ada@example.com" } });
  expect(created.status).toBe(201);
  const { json } = await call(`/api/events?type=user.created&subject=${created.json.id}`, TOKEN);
  expect(json.data).toHaveLength(1);
  expect(json.data[0].data).toEqual({ userId: created.json.id, email: "ada@example.com" });
  const states = async () => {
    const ledger = await call(`/api/events/${json.data[0].id}`, TOKEN);
    return ledger.json.deliveries.map((each: { consumer: string; state: string }) => [
      each.consumer,
      each.state,
    ]);
  };
  await expect.poll(states, { timeout: 15_000, interval: 250 }).toEqual([
    ["analytics", "done"],
    ["export:EXAMPLE_EXPORT", "done"],
    ["welcome-mail", "done"],
  ]);
  const admin = await createAdmin();
  const counts = (await admin.call("/api/analytics/signups")).json.data;
  expect(counts.at(-1).count).toBeGreaterThanOrEqual(1);
}, 20_000);

test("every event that the API's calls leave in the log is one that the catalogue describes, schema and version", async () => {
  const [user, admin] = [await createAccount(), await createAdmin()];
  await user.call(`/api/users/${user.id}`, { method: "PATCH", json: { name: "Ada King" } });
  await user.call(`/api/users/${user.id}`, { method: "PATCH", json: { email: "ada.king@example.com" } });
  await admin.call(`/api/users/${user.id}`, { method: "PATCH", json: { email: "a@example.com" } });
  await admin.call(`/api/users/${user.id}`, { method: "DELETE" });
  const events = await rowsOf<{ type: string; schema_version: number; data: string }>(
    "select * from outbox_events",
  );
  expect(new Set(events.map(({ type }) => type)).size).toBeGreaterThanOrEqual(3);
  for (const { type, schema_version, data } of events) {
    if (!isEventType(type)) throw new Error(`${type} is not in the catalogue`);
    expect(schema_version).toBe(EVENT_CATALOGUE[type].version);
    expect(EVENT_DATA[type]().safeParse(JSON.parse(data)).error).toBeUndefined();
  }
});

test("the schema of an event's data is served where `dataschema` leads, and nowhere else", async () => {
  const schema = await call("/events/user.created/v1");
  expect(schema.json).toMatchObject({ type: "object", required: ["userId", "email"] });
  expect((await call("/events/user.created/v2")).status).toBe(404);
  expect((await call("/events/user.exploded/v1")).status).toBe(404);
});
