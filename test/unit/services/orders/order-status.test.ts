import { expect, test } from "vitest";
import {
  isOwnersTransition,
  isTransition,
  ORDER_STATUSES,
  returnsStock,
} from "../../../../src/services/orders/order-status";

/** The drawing, written out. */
const DRAWN = new Set([
  "pending>paid",
  "paid>shipped",
  "shipped>delivered",
  "pending>cancelled",
  "paid>cancelled",
  "paid>refunded",
  "shipped>refunded",
  "delivered>refunded",
]);

const PAIRS = ORDER_STATUSES.flatMap((from) => ORDER_STATUSES.map((to) => ({ from, to })));

test("exactly the transitions that are drawn are allowed", () => {
  const allowed = PAIRS.filter(({ from, to }) => isTransition(from, to)).map(
    ({ from, to }) => `${from}>${to}`,
  );
  expect(new Set(allowed)).toEqual(DRAWN);
});

test("an owner cancels what is pending, and nothing else", () => {
  const allowed = PAIRS.filter(({ from, to }) => isOwnersTransition(from, to));
  expect(allowed).toEqual([{ from: "pending", to: "cancelled" }]);
});

test("only a cancellation returns stock, and none is possible after shipment", () => {
  expect(ORDER_STATUSES.filter(returnsStock)).toEqual(["cancelled"]);
  for (const from of ["shipped", "delivered"] as const) expect(isTransition(from, "cancelled")).toBe(false);
});
