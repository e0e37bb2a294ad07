/** The shell of every HTML page. */
import { html } from "hono/html";

export type Content = ReturnType<typeof html>;

interface Page {
  readonly title: string;
  /** A path on this Worker, because the content security policy allows no other origin. */
  readonly stylesheet?: string;
  /** What belongs into the head besides. */
  readonly head?: Content | "";
  readonly body: Content;
}

export function page({ title, stylesheet = "/site.css", head = "", body }: Page): Content {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="${stylesheet}" />
        ${head}
      </head>
      <body>
        ${body}
      </body>
    </html>`;
}
