/** The whole REST API on one screen: the order of middleware, then every route. */
import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { newId } from "../../platform/clock";
import type { GatewayEnv, Wire } from "../request-context";
import { boundedBody, jsonBody } from "./middleware/body";
import { crossOrigin } from "./middleware/cross-origin";
import { failed, unrouted } from "./middleware/faults";
import { requestScope } from "./middleware/request-scope";
import { bookmarks, privateAnswers } from "./middleware/response-headers";
import { operationsRoutes } from "./routes/operations";
import { usersRoutes } from "./routes/users";

export function createApp(wire: Wire): Hono<GatewayEnv> {
  const app = new Hono<GatewayEnv>();
  app.onError(failed);
  app.notFound(unrouted(app));

  app.use(requestId({ limitLength: 128, generator: newId }));
  app.use(secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } }));
  app.use(requestScope(wire));
  app.use(crossOrigin);
  app.route("/", operationsRoutes);

  app.use("/api/*", privateAnswers);
  app.use("/api/*", boundedBody, jsonBody, bookmarks);
  app.route("/api/users", usersRoutes);
  return app;
}
