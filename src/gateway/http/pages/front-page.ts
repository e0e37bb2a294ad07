/** What `/` says: a page to a browser, JSON to all others. */
import { html } from "hono/html";
import { page } from "../../page";

const DESCRIPTION = "Users, auth and orders behind one API gateway, at the edge.";

const PLACES = [
  { key: "docs", path: "/docs", says: "The reference: read it, log in, try calls" },
  { key: "openapi", path: "/openapi.json", says: "The OpenAPI 3.1 document, for generators" },
  { key: "graphql", path: "/graphql", says: "The same use cases as GraphQL" },
  { key: "health", path: "/healthz", says: "Whether the Worker runs" },
  { key: "readiness", path: "/readyz", says: "Whether what it stands on answers" },
  { key: "keys", path: "/.well-known/jwks.json", says: "The keys that verify access tokens" },
] as const;

export const FRONT_PAGE = {
  name: "Meridian",
  description: DESCRIPTION,
  links: Object.fromEntries([...PLACES.map(({ key, path }) => [key, path]), ["users", "/api/users"]]),
};

const LOCAL_MAILS = html`<h2>Mails</h2>
  <p>
    Nothing is sent from this machine: each mail lies in <code>.wrangler/tmp/email/</code>, and the
    terminal says where as it is written.
  </p>`;

/** @param publicUrl `PUBLIC_URL`: what runs on this machine also says where its mails are */
export function frontPage(publicUrl: string) {
  const isLocal = ["localhost", "127.0.0.1"].includes(new URL(publicUrl).hostname);
  return page({
    title: "Meridian",
    head: html`<meta name="description" content="${DESCRIPTION}" />`,
    body: html`<main>
      <h1>Meridian</h1>
      <p class="lead">${DESCRIPTION}</p>
      <ul class="places">
        ${PLACES.map(({ path, says }) => html`<li><a href="${path}">${path}</a><span>${says}</span></li>`)}
      </ul>
      <h2>A first call</h2>
      <pre tabindex="0"><code>curl ${publicUrl}/api/users -H 'Content-Type: application/json' \\
  -d '{"name": "Ada Lovelace", "email": "ada@example.com"}'</code></pre>
      ${isLocal ? LOCAL_MAILS : ""}
    </main>`,
  });
}
