/** As much of Cloudflare's API, over HTTP, as wrangler calls for versions and deployments of one Worker. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

interface Deployment {
  readonly versions: readonly { version_id: string; percentage: number }[];
  readonly [field: string]: unknown;
}

interface Options {
  /** The version that serves every request. */
  readonly running: string;
  /** The id that an uploaded version gets. */
  readonly uploads: string;
  readonly migrationTag: string;
}

/** Starts it. `posted` has the bodies of new deployments; `whenCalled` runs before a call is answered. */
export async function playCloudflare({ running, uploads, migrationTag }: Options) {
  const about = { created_on: "2026-01-01T00:00:00Z", author_email: "a@example.com", source: "api" };
  let deployment: Deployment = {
    ...about,
    ...{
      id: "d1",
      strategy: "percentage",
      annotations: {},
      versions: [{ version_id: running, percentage: 100 }],
    },
  };
  const posted: Deployment[] = [];
  const play = { posted, whenCalled: () => {} };

  function answerOf(method: string, path: string, body: string): unknown {
    if (path.endsWith("/deployments") && method === "POST") {
      deployment = { ...deployment, ...JSON.parse(body) };
      posted.push(JSON.parse(body));
      return { id: "d2" };
    }
    if (path.endsWith("/deployments")) return { deployments: [deployment] };
    if (path.endsWith("/versions") && method === "POST")
      return { id: uploads, startup_time_ms: 1, metadata: { has_preview: false } };
    const version = /\/versions\/([0-9a-f-]{36})$/.exec(path)?.[1];
    if (version !== undefined) {
      const script = { etag: "e", handlers: ["fetch"], last_deployed_from: "api" };
      const resources = { bindings: [], script, script_runtime: { migration_tag: migrationTag } };
      return { id: version, number: 1, metadata: about, annotations: {}, resources };
    }
    if (path.includes("/workers/services/"))
      return { default_environment: { script: { tag: "t", tags: [], migration_tag: migrationTag } } };
    if (path.endsWith("/workers/scripts")) return [{ id: "meridian", migration_tag: migrationTag }];
    return path.endsWith("/secrets") ? [] : {};
  }

  const server = createServer(async (request, response) => {
    play.whenCalled();
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const result = answerOf(request.method ?? "GET", pathname, await bodyOf(request));
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ success: true, errors: [], messages: [], result }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(play, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise((resolve) => server.close(resolve)),
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}
