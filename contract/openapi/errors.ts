/** Which codes a call can answer, derived from what it asks for, and how the document shows them. */

import { ERROR_MAP } from "../../src/gateway/error-map";
import { ERROR_CATALOGUE, type ErrorCode } from "../../src/kernel/errors";
import { PROBLEM_EXTENSIONS, REQUEST_ID } from "../examples";
import type { Operation } from "./operation";

/** In the order of their statuses. */
export function errorsOf(operation: Operation): readonly ErrorCode[] {
  const isLimited = operation.path.startsWith("/api/");
  const isInner = operation.path.startsWith("/api/") && operation.path.includes("{id}");
  const codes: ErrorCode[] = [
    ...(operation.errors ?? []),
    ...(isLimited ? LIMITED : []),
    ...(operation.access === "admin" || operation.access === "events" ? (["forbidden"] as const) : []),
    ...(isInner ? (["not_found"] as const) : []),
    ...(operation.method === "get" ? [] : BODY),
    ...(operation.isKeyed ? KEYED : []),
    ...(operation.isPreconditioned ? (["precondition_failed"] as const) : []),
    "internal",
    "unavailable",
  ];
  return [...new Set(codes)].sort((a, b) => ERROR_MAP[a].http - ERROR_MAP[b].http || a.localeCompare(b));
}

/** A malformed header or a bad token is refused on every call, and every call spends the budget. */
const LIMITED: readonly ErrorCode[] = [
  "validation_failed",
  "unauthenticated",
  "token_expired",
  "token_revoked",
  "rate_limited",
];
/** A body is looked at, whether the call needs one or not. */
const BODY: readonly ErrorCode[] = ["malformed_json", "payload_too_large", "unsupported_media_type"];
const KEYED: readonly ErrorCode[] = ["idempotency_in_progress", "idempotency_key_reused"];

/** The responses of one status, by a name made of their codes: calls with the same share one. */
export function errorResponseName(codes: readonly ErrorCode[]): string {
  return codes.map(pascalCase).join("Or");
}

/** @param codes all of the same status */
export function errorResponse(codes: readonly ErrorCode[]): object {
  const [first] = codes;
  if (first === undefined) throw new TypeError("a response needs a code");
  const status = ERROR_MAP[first].http;
  return {
    description: codes.map((code) => `\`${code}\`: ${ERROR_CATALOGUE[code].title}.`).join(" "),
    headers: Object.fromEntries(
      headersOf(status).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    ),
    content: {
      "application/problem+json": {
        schema: { $ref: "#/components/schemas/Problem" },
        examples: Object.fromEntries(
          codes.map((code) => [code, { $ref: `#/components/examples/problem_${code}` }]),
        ),
      },
    },
  };
}

export function problemExample(code: ErrorCode): object {
  return {
    summary: ERROR_CATALOGUE[code].title,
    value: {
      type: `/problems/${code}`,
      title: ERROR_CATALOGUE[code].title,
      status: ERROR_MAP[code].http,
      detail: ERROR_CATALOGUE[code].explanation,
      instance: "/api/orders",
      code,
      requestId: REQUEST_ID,
      ...PROBLEM_EXTENSIONS[code],
    },
  };
}

function headersOf(status: number): readonly string[] {
  const special =
    status === 401 ? ["WWW-Authenticate"] : status === 429 || status === 503 ? ["Retry-After"] : [];
  return ["X-Request-Id", "Access-Control-Allow-Origin", "RateLimit-Policy", "RateLimit", ...special];
}

function pascalCase(code: string): string {
  return code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
