/** A plain letter in text and HTML, with at most one link. Every mail to a user has this form. */
import { escapeHtml } from "../../kernel/html";
import type { Mail } from "../../platform/mailer";

export interface Letter {
  readonly to: { readonly name: string; readonly email: string };
  /** Ours alone: a name in it could be read as ours. */
  readonly subject: string;
  readonly paragraphs: readonly string[];
  readonly link?: string;
}

export function composeLetter({ to, subject, paragraphs, link }: Letter): Omit<Mail, "idempotencyKey"> {
  const lines = link === undefined ? paragraphs : [...paragraphs, link];
  const href = escapeHtml(link ?? "");
  const anchor = link === undefined ? "" : `<p><a href="${href}">${href}</a></p>\n`;
  return {
    to: to.email,
    subject,
    text: `Hello ${to.name},\n\n${lines.join("\n\n")}\n`,
    html: mailPage(
      to.name,
      paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>\n`).join("") + anchor,
    ),
  };
}

/**
 * Returns the HTML of a mail. The name is escaped, and isolated, because it may run right to left.
 *
 * @param content HTML, of whole lines
 */
export function mailPage(name: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<body>
<p>Hello <bdi>${escapeHtml(name)}</bdi>,</p>
${content}</body>
</html>
`;
}

/**
 * A link of a mail. It is built from `PUBLIC_URL` alone: nothing that a request says (its host, a parameter) can lead
 * a reader, and the token with him, elsewhere.
 */
export function tokenLink(publicUrl: string, path: string, token: string): string {
  return `${publicUrl}/${path}?token=${encodeURIComponent(token)}`;
}
