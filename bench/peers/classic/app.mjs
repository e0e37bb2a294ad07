/** The whole application on one screen: Express 5 in the order that a request walks it. */
import { randomUUID } from "node:crypto";
import express from "express";
import helmet from "helmet";
import { pinoHttp } from "pino-http";
import { graphqlHandler } from "./graphql.mjs";
import { defaultLimit } from "./limits.mjs";
import { answerProblem, answerUnrouted } from "./problem.mjs";
import { authRoutes } from "./routes/auth.mjs";
import { ordersRoutes, productsRoutes } from "./routes/orders.mjs";
import { usersRoutes } from "./routes/users.mjs";
import { identify, refuseBadToken } from "./tokens.mjs";

const REQUEST_ID = /^[\w=+/-]{1,128}$/;

/** @param {import("./services.mjs").Services} services */
export function createApp(services) {
  const { settings, redis } = services;
  const app = express();
  // Tags are the rows' versions: none is computed out of a body.
  app.set("etag", false);
  // Unwrapped: pino would first describe each request and answer with all of their headers.
  const serializers = { req: requestLine, res: ({ statusCode }) => ({ statusCode }) };
  app.use(pinoHttp({ level: settings.logLevel, genReqId, serializers, wrapSerializers: false }));
  app.use(helmet());
  app.get("/healthz", (_req, res) => res.send("ok"));

  app.use(
    ["/api", "/graphql"],
    identify(settings.jwtSecret),
    defaultLimit(services),
    refuseBadToken,
    privateAnswers,
  );
  app.use(express.json({ limit: "256kb", type: ["application/json", "application/merge-patch+json"] }));
  app.use("/api/users", usersRoutes(services));
  app.use("/api/auth", authRoutes(services));
  app.use("/api/products", productsRoutes(services));
  app.use("/api/orders", ordersRoutes(services));
  app.all("/graphql", graphqlHandler(services));

  app.use(answerUnrouted);
  app.use(answerProblem);
  return {
    app,
    isReady: async () =>
      (await redis.ping()) === "PONG" && (await services.pool.query("SELECT 1")).rowCount === 1,
  };
}

/** The client's own where it is one that may be logged. */
function genReqId(req, res) {
  const presented = req.headers["x-request-id"];
  const id = presented !== undefined && REQUEST_ID.test(presented) ? presented : randomUUID();
  res.setHeader("X-Request-Id", id);
  return id;
}

/** Of a request, what Meridian logs: no headers, no query. */
function requestLine({ id, method, originalUrl }) {
  return { id, method, path: originalUrl.split("?", 1)[0] };
}

/** An answer depends on the caller: caches ask again each time, and never across callers. */
function privateAnswers(_req, res, next) {
  res.set({ "Cache-Control": "private, no-cache", Vary: "Authorization" });
  next();
}
