/** ONE table: an error code's face in each protocol. GraphQL carries the code itself, in `extensions.code`. */
import { type AppError, ERROR_CATALOGUE, type ErrorCode, type Refusal } from "../kernel/errors";

export interface Faces {
  readonly http: 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 503;
  readonly connect:
    | "invalid_argument"
    | "unauthenticated"
    | "permission_denied"
    | "not_found"
    | "unimplemented"
    | "already_exists"
    | "failed_precondition"
    | "aborted"
    | "resource_exhausted"
    | "internal"
    | "unavailable";
}

export const ERROR_MAP: Readonly<Record<ErrorCode, Faces>> = {
  validation_failed: { http: 400, connect: "invalid_argument" },
  malformed_json: { http: 400, connect: "invalid_argument" },
  token_invalid: { http: 400, connect: "invalid_argument" },
  unauthenticated: { http: 401, connect: "unauthenticated" },
  invalid_credentials: { http: 401, connect: "unauthenticated" },
  token_expired: { http: 401, connect: "unauthenticated" },
  token_revoked: { http: 401, connect: "unauthenticated" },
  forbidden: { http: 403, connect: "permission_denied" },
  not_found: { http: 404, connect: "not_found" },
  method_not_allowed: { http: 405, connect: "unimplemented" },
  email_taken: { http: 409, connect: "already_exists" },
  sku_taken: { http: 409, connect: "already_exists" },
  out_of_stock: { http: 409, connect: "failed_precondition" },
  invalid_transition: { http: 409, connect: "failed_precondition" },
  idempotency_in_progress: { http: 409, connect: "aborted" },
  precondition_failed: { http: 412, connect: "aborted" },
  payload_too_large: { http: 413, connect: "invalid_argument" },
  unsupported_media_type: { http: 415, connect: "invalid_argument" },
  idempotency_key_reused: { http: 422, connect: "invalid_argument" },
  rate_limited: { http: 429, connect: "resource_exhausted" },
  internal: { http: 500, connect: "internal" },
  unavailable: { http: 503, connect: "unavailable" },
};

/** A failure as a refusal: what the client may know of it. The error itself goes to the log. */
export function refusalOf(error: AppError): Refusal {
  const { code } = error;
  return {
    code,
    detail: error.detail ?? ERROR_CATALOGUE[code].explanation,
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
  };
}
