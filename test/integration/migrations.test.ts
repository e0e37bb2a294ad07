/** What the code needs of the tables, and Drizzle's schema cannot express. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

test("a delivery is one row: its table has no rowid beside the primary key", async () => {
  await expect(env.DB.prepare("select rowid from event_deliveries").all()).rejects.toThrow(
    "no such column: rowid",
  );
});

test("an unknown state of a delivery is refused by the constraint that settling uses", async () => {
  await expect(
    env.DB.prepare(
      "insert into event_deliveries (event_id, consumer, state, attempts, due_at) values ('e', 'c', 'x', 0, 0)",
    ).run(),
  ).rejects.toThrow("event_deliveries_state_known");
});
