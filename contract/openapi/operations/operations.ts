/** What lies outside `/api` in the document: free of the rate limit, for operators and readers. */
import { METRICS_EXAMPLES } from "../../examples";
import type { Operation } from "../operation";

const tag = "Operations";

export const operationsOperations: readonly Operation[] = [
  {
    id: "getFrontPage",
    method: "get",
    path: "/",
    tag,
    summary: "Say what runs here",
    description: "A page to a browser, JSON to all others.",
    access: "anyone",
    answers: [{ status: 200, description: "The front page.", schema: "FrontPage", example: "frontPage" }],
  },
  {
    id: "getLiveness",
    method: "get",
    path: "/healthz",
    tag,
    summary: "Say that the Worker runs",
    access: "anyone",
    answers: [{ status: 200, description: "It runs.", schema: "Liveness", example: "liveness" }],
  },
  {
    id: "getReadiness",
    method: "get",
    path: "/readyz",
    tag,
    summary: "Say whether what it stands on answers",
    access: "anyone",
    answers: [
      { status: 200, description: "Ready, or degraded.", schema: "Health", example: "health" },
      { status: 503, description: "The database does not answer.", schema: "Health", example: "healthDown" },
    ],
  },
  {
    id: "getKeys",
    method: "get",
    path: "/.well-known/jwks.json",
    tag,
    summary: "Show the public keys that verify access tokens",
    access: "anyone",
    answers: [
      { status: 200, description: "The key set.", schema: "JsonWebKeySet", example: "jsonWebKeySet" },
    ],
  },
  {
    id: "getMetrics",
    method: "get",
    path: "/metrics",
    tag,
    summary: "Show the metrics to a scraper",
    description: "Prometheus text, or OpenMetrics to a scraper whose `Accept` names it.",
    access: "metrics",
    answers: [{ status: 200, description: "Every metric.", texts: METRICS_EXAMPLES }],
    errors: ["unauthenticated"],
  },
  {
    id: "getEventSchema",
    method: "get",
    path: "/events/{type}/{version}",
    tag,
    summary: "Show the schema of an event's data",
    access: "anyone",
    pathParameters: {
      type: { description: "Event type.", pattern: "^[a-z_.]+$", maxLength: 100, example: "user.created" },
      version: { description: "Version.", pattern: "^v[1-9][0-9]*$", maxLength: 10, example: "v1" },
    },
    answers: [{ status: 200, description: "The schema.", schema: "JsonSchema", example: "jsonSchema" }],
    errors: ["not_found"],
  },
  {
    id: "explainProblem",
    method: "get",
    path: "/problems/{code}",
    tag,
    summary: "Explain an error code",
    description: "A page to a browser, JSON to all others.",
    access: "anyone",
    pathParameters: {
      code: { description: "Error code.", pattern: "^[a-z_]+$", maxLength: 100, example: "out_of_stock" },
    },
    answers: [{ status: 200, description: "What it means.", schema: "Explanation", example: "explanation" }],
    errors: ["not_found"],
  },
];
