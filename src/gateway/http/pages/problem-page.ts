/** The page behind a problem document's `type`. */
import { html } from "hono/html";

interface Meaning {
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly explanation: string;
}

export function problemPage({ code, title, status, explanation }: Meaning) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/site.css" />
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p class="lead"><code>${code}</code>, HTTP ${status}</p>
          <p>${explanation}</p>
        </main>
      </body>
    </html>`;
}
