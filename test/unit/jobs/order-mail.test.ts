import { expect, test } from "vitest";
import { composeOrderMail, orderMail } from "../../../src/jobs/mails/order-mail";
import type { CloudEvent } from "../../../src/kernel/event";
import type { Mail, Mailer } from "../../../src/platform/mailer";
import type { Order } from "../../../src/services/orders";

const ORDER: Order = {
  id: "019ab000-0000-7000-8000-000000000009",
  userId: "019ab000-0000-7000-8000-000000000001",
  status: "pending",
  currency: "JPY",
  totalMinor: 2_400,
  items: [
    {
      productId: "p",
      sku: "s",
      name: "<b>Tea</b>",
      unitPriceMinor: 1_200,
      quantity: 2,
      lineTotalMinor: 2_400,
    },
  ],
  version: 1,
  createdAt: "2026-11-22T10:00:00.000Z",
  updatedAt: "2026-11-22T10:00:00.000Z",
};
const CONTACT = { name: "Ada <Lovelace>", email: "ada@example.com" };
const EVENT = { id: "event-1", subject: ORDER.id } as CloudEvent; // All that the consumer looks at.
const DELIVERY = { consumer: "order-confirmation-mail", attempt: 1, signal: new AbortController().signal };

async function sentFor(order: Order | null, contact: typeof CONTACT | null): Promise<Mail[]> {
  const sent: Mail[] = [];
  const mailer = { send: async (mail: Mail) => void sent.push(mail) } as unknown as Mailer;
  const consumer = orderMail({
    kind: "confirmation",
    orders: { find: async () => order },
    contactOf: async () => contact,
    mailer,
  });
  await consumer.act(EVENT, DELIVERY);
  return sent;
}

test("the mail names what was bought and what it costs, and no name can write HTML", () => {
  const mail = composeOrderMail("confirmation", CONTACT, ORDER);
  expect(mail.to).toBe(CONTACT.email);
  expect(mail.text).toContain("2 x <b>Tea</b>: 2400 JPY");
  expect(mail.text).toContain("Total: 2400 JPY");
  expect(mail.html).toContain("<bdi>&lt;b&gt;Tea&lt;/b&gt;</bdi>: 2400 JPY");
  expect(mail.html).toContain("Ada &lt;Lovelace&gt;");
  expect(composeOrderMail("shipping", CONTACT, ORDER).subject).not.toBe(mail.subject);
});

test("an event is one mail under its id; a person or an order that is gone is none", async () => {
  expect(await sentFor(ORDER, CONTACT)).toMatchObject([{ to: CONTACT.email, idempotencyKey: EVENT.id }]);
  expect(await sentFor(ORDER, null)).toEqual([]);
  expect(await sentFor({ ...ORDER, userId: null }, CONTACT)).toEqual([]);
  expect(await sentFor(null, CONTACT)).toEqual([]);
});
