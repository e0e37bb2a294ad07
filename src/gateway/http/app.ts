/** The whole REST API on one screen: the order of middleware, then every route; then the other protocols, behind the same gate. */
import type { Hono } from "hono";
import { newId } from "../../platform/clock";
import { PROTOCOLS } from "../protocols";
import type { GatewayEnv, Wire } from "../request-context";
import { admit } from "./middleware/admit";
import { boundedBody, jsonBody } from "./middleware/body";
import { crossOrigin } from "./middleware/cross-origin";
import { eventsToken } from "./middleware/events-token";
import { failed, unrouted } from "./middleware/faults";
import { idempotencyKey } from "./middleware/idempotency-key";
import { identify } from "./middleware/identify";
import { requestId } from "./middleware/request-id";
import { requestMetrics } from "./middleware/request-metrics";
import { requestScope } from "./middleware/request-scope";
import { bookmarks, privateAnswers } from "./middleware/response-headers";
import { securityHeaders } from "./middleware/security-headers";
import { serverTiming } from "./middleware/server-timing";
import { speak } from "./middleware/speak";
import { unlessRead } from "./middleware/unless-read";
import { newRouter } from "./router";
import { analyticsRoutes } from "./routes/analytics";
import { auditRoutes } from "./routes/audit";
import { authRoutes } from "./routes/auth";
import { eventsRoutes } from "./routes/events";
import { keysRoutes } from "./routes/keys";
import { limitsRoutes } from "./routes/limits";
import { mailPagesRoutes } from "./routes/mail-pages";
import { metricsRoutes } from "./routes/metrics";
import { operationsRoutes } from "./routes/operations";
import { ordersRoutes } from "./routes/orders";
import { productsRoutes } from "./routes/products";
import { usersRoutes } from "./routes/users";
import { webhooksRoutes } from "./routes/webhooks";

export function createApp(wire: Wire): Hono<GatewayEnv> {
  const app = newRouter();
  app.onError(failed);
  app.notFound(unrouted(app));

  app.use(requestMetrics);
  app.use(requestId(newId));
  app.use(securityHeaders);
  // Before anything that may fail: what fails is answered in the protocol of the path.
  for (const protocol of PROTOCOLS) app.use(protocol.path, speak(protocol));
  app.use(requestScope(wire));
  app.use(crossOrigin);
  app.use(serverTiming);
  app.route("/", operationsRoutes);
  app.route("/", mailPagesRoutes);
  app.route("/.well-known", keysRoutes);
  app.route("/metrics", metricsRoutes);

  app.use("/api/events/*", eventsToken);
  app.use("/api/*", privateAnswers, identify, admit, bookmarks);
  app.use("/api/*", unlessRead(boundedBody, jsonBody, idempotencyKey));
  app.route("/api/users", usersRoutes);
  app.route("/api/auth", authRoutes);
  app.route("/api/audit", auditRoutes);
  app.route("/api/limits", limitsRoutes);
  app.route("/api/products", productsRoutes);
  app.route("/api/orders", ordersRoutes);
  app.route("/api/analytics", analyticsRoutes);
  app.route("/api/events", eventsRoutes);
  app.route("/api/webhooks", webhooksRoutes);

  for (const protocol of PROTOCOLS) {
    app.use(protocol.path, privateAnswers, identify, admit, bookmarks);
    app.use(
      protocol.path,
      unlessRead(boundedBody, ...(protocol.isJsonOnly ? [jsonBody] : []), idempotencyKey),
    );
    app.on(["GET", "POST"], protocol.path, protocol.answer);
  }
  return app;
}
