/** Tells who ordered that the order was placed, and that it was shipped. */
import { escapeHtml } from "../../kernel/html";
import { formatMinor } from "../../kernel/money";
import type { Mail, Mailer } from "../../platform/mailer";
import type { ExternalConsumer } from "../../platform/outbox";
import type { Order, OrderService } from "../../services/orders";
import type { Contact } from "../../services/users";
import { mailPage } from "./letter";

export type OrderMailKind = "confirmation" | "shipping";

export interface OrderMailOptions {
  readonly kind: OrderMailKind;
  readonly orders: Pick<OrderService, "find">;
  /** Null when the user is gone. */
  readonly contactOf: (userId: string) => Promise<Contact | null>;
  readonly mailer: Mailer;
}

export function orderMail({ kind, orders, contactOf, mailer }: OrderMailOptions): ExternalConsumer {
  return {
    kind: "external",
    async act(event) {
      const order = await orders.find(event.subject);
      if (order === null || order.userId === null) return;
      const contact = await contactOf(order.userId);
      if (contact === null) return;
      await mailer.send({ ...composeOrderMail(kind, contact, order), idempotencyKey: event.id });
    },
  };
}

const WORDS: Readonly<Record<OrderMailKind, { readonly subject: string; readonly sentence: string }>> = {
  confirmation: { subject: "Your order is placed", sentence: "we have your order:" },
  shipping: { subject: "Your order is on its way", sentence: "your order has left our house:" },
};

/** Names of products are written by people: they are escaped in HTML, and isolated, because they may run right to left. */
export function composeOrderMail(
  kind: OrderMailKind,
  contact: Contact,
  order: Order,
): Omit<Mail, "idempotencyKey"> {
  const { subject, sentence } = WORDS[kind];
  const total = formatMinor(order.totalMinor, order.currency);
  const lines = order.items.map(({ quantity, name, lineTotalMinor }) => ({
    quantity,
    name,
    amount: formatMinor(lineTotalMinor, order.currency),
  }));
  const textLines = lines.map(({ quantity, name, amount }) => `${quantity} x ${name}: ${amount}`).join("\n");
  const rows = lines
    .map(({ quantity, name, amount }) => `<li>${quantity} x <bdi>${escapeHtml(name)}</bdi>: ${amount}</li>`)
    .join("\n");
  return {
    to: contact.email,
    subject,
    text: `Hello ${contact.name},\n\n${sentence}\n\n${textLines}\n\nTotal: ${total}\nOrder: ${order.id}\n`,
    html: mailPage(
      contact.name,
      `<p>${sentence}</p>\n<ul>\n${rows}\n</ul>\n<p>Total: ${total}</p>\n<p>Order: ${order.id}</p>\n`,
    ),
  };
}
