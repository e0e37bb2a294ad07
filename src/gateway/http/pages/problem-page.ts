/** The page behind a problem document's `type`. */
import { html } from "hono/html";
import { page } from "../../page";

interface Meaning {
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly explanation: string;
}

export function problemPage({ code, title, status, explanation }: Meaning) {
  return page({
    title,
    body: html`<main>
      <h1>${title}</h1>
      <p class="lead"><code>${code}</code>, HTTP ${status}</p>
      <p>${explanation}</p>
    </main>`,
  });
}
