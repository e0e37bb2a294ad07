/** Greets who has signed up, with a link that proves the address. */
import type { Mail, Mailer } from "../../platform/mailer";
import type { ExternalConsumer } from "../../platform/outbox";
import type { AccountMails, Recipient } from "../../services/auth";
import { composeLetter, tokenLink } from "./letter";

export interface MailConsumerOptions {
  readonly mails: Pick<
    AccountMails,
    "recipientOf" | "passwordReset" | "emailVerification" | "emailChange" | "emailChangeNotice"
  >;
  readonly mailer: Mailer;
  /** `PUBLIC_URL` */
  readonly publicUrl: string;
}

export function welcomeMail({ mails, mailer, publicUrl }: MailConsumerOptions): ExternalConsumer {
  return {
    kind: "external",
    async act(event) {
      const found = await mails.emailVerification(event);
      // The user is gone: then there is nobody to greet.
      if (found === null) return;
      await mailer.send({ ...composeWelcome(found.to, publicUrl, found.token), idempotencyKey: event.id });
    },
  };
}

/** @param token null for an address that is proven already */
export function composeWelcome(
  to: Recipient,
  publicUrl: string,
  token: string | null,
): Omit<Mail, "idempotencyKey"> {
  const subject = "Welcome to Meridian";
  const greeting = "welcome to Meridian. Your account is ready.";
  if (token === null) return composeLetter({ to, subject, paragraphs: [greeting], link: publicUrl });
  return composeLetter({
    to,
    subject,
    paragraphs: [greeting, "Please confirm that this address is yours:"],
    link: tokenLink(publicUrl, "verify-email", token),
  });
}
