/** Greets who has signed up. */
import { escapeHtml } from "../../kernel/html";
import type { Mail, Mailer } from "../../platform/mailer";
import type { ExternalConsumer } from "../../platform/outbox";

export interface Contact {
  readonly name: string;
  readonly email: string;
}

export interface WelcomeMailOptions {
  /** Null when the user is gone: then there is nobody to greet. */
  readonly contactOf: (userId: string) => Promise<Contact | null>;
  readonly mailer: Mailer;
  /** `PUBLIC_URL` */
  readonly publicUrl: string;
}

export function welcomeMail({ contactOf, mailer, publicUrl }: WelcomeMailOptions): ExternalConsumer {
  return {
    kind: "external",
    async act(event) {
      const contact = await contactOf(event.subject);
      if (contact === null) return;
      await mailer.send({ ...composeWelcome(contact, publicUrl), idempotencyKey: event.id });
    },
  };
}

/** The name is anybody's text: escaped in HTML, and isolated there, for it may run right to left. */
export function composeWelcome(contact: Contact, publicUrl: string): Omit<Mail, "idempotencyKey"> {
  const name = escapeHtml(contact.name);
  const link = escapeHtml(publicUrl);
  return {
    to: contact.email,
    subject: "Welcome to Meridian",
    text: `Hello ${contact.name},\n\nwelcome to Meridian. Your account is ready.\n\n${publicUrl}\n`,
    html: `<!doctype html>
<html lang="en">
<body>
<p>Hello <bdi>${name}</bdi>,</p>
<p>welcome to Meridian. Your account is ready.</p>
<p><a href="${link}">${link}</a></p>
</body>
</html>
`,
  };
}
