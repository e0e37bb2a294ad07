/**
 * The Worker that `bench/recording.mjs` measures from outside: the same route, answered with and without the middleware
 * that counts it and the one that writes its line.
 */
import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { requestMetrics } from "../../src/gateway/http/middleware/request-metrics";
import { requestScope } from "../../src/gateway/http/middleware/request-scope";
import type { GatewayEnv, Wire } from "../../src/gateway/request-context";
import { newId } from "../../src/platform/clock";
import { metrics } from "../../src/services/operations/metrics/isolate-metrics";
import { TEST_SECRETS } from "../../test/support/secrets";

/** No service is called. */
const wire = (() => ({})) as unknown as Wire;

const configured = (level: string) => ({
  ...TEST_SECRETS,
  LOG_LEVEL: level,
  MAIL_FROM: "hello@meridian.example",
  PUBLIC_URL: "https://meridian.example",
});
const ENVIRONMENTS = { info: configured("info"), error: configured("error") } as const;

function appWith(...parts: readonly ("metrics" | "scope")[]): Hono<GatewayEnv> {
  const app = new Hono<GatewayEnv>();
  if (parts.includes("metrics")) app.use(requestMetrics());
  app.use(requestId({ limitLength: 128, generator: newId }));
  if (parts.includes("scope")) app.use(requestScope(wire));
  // What a cached read counts.
  app.get("/api/users/:id", (c) => {
    const scope = c.get("scope");
    if (scope !== undefined) Object.assign(scope.calls, { cache: "memory", admittedBy: "lease" });
    return c.json({ id: c.req.param("id") });
  });
  return app;
}

/** By path: which middleware, and the least that is written. */
const CASES: Readonly<Record<string, readonly [app: Hono<GatewayEnv>, env: object]>> = {
  "/bare": [appWith(), ENVIRONMENTS.info],
  "/counted": [appWith("metrics"), ENVIRONMENTS.info],
  "/scoped": [appWith("scope"), ENVIRONMENTS.error],
  "/logged": [appWith("scope"), ENVIRONMENTS.info],
  "/all": [appWith("metrics", "scope"), ENVIRONMENTS.info],
};

export default {
  async fetch(request, _env, context): Promise<Response> {
    const url = new URL(request.url);
    const [app, env] = CASES[url.pathname] ?? [];
    if (app === undefined) return new Response("ready");
    // The platform takes a line for nothing that a request waits for; what is measured is what it takes to make one.
    let written = 0;
    console.info = (line: string) => {
      written += line.length;
    };
    let answered = 0;
    for (let done = 0; done < Number(url.searchParams.get("count")); done += 1) {
      const id = "https://meridian.example/api/users/01890000-0000-7000-8000-000000000001";
      const response = await app.fetch(new Request(id), env, context);
      answered += response.status === 200 ? 1 : 0;
    }
    return Response.json({ answered, written, series: metrics.take().size });
  },
} satisfies ExportedHandler;
