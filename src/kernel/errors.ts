/**
 * The error catalogue: every code a client can meet, and the three kinds of trouble.
 *
 * - A *refusal* is the business saying no: a typed value (`Outcome`) that the caller must branch on.
 * - A *failure* is the platform not answering (D1, KV, network): an `AppError`, thrown.
 * - A *bug* is anything else that is thrown. It kills the request, not the isolate.
 *
 * Codes are contract: add, never rename. Their HTTP, Connect and GraphQL faces are in `gateway/error-map.ts`.
 */
import type { RefusalExtensions, Violation } from "./refusal-details";

export type { Violation } from "./refusal-details";

interface CatalogueEntry {
  /** Short and the same for every occurrence; the `title` of a problem document. */
  readonly title: string;
  /** What the code means and what a caller can do, for `GET /problems/<code>`. */
  readonly explanation: string;
}

export const ERROR_CATALOGUE = {
  validation_failed: {
    title: "The request is not valid",
    explanation:
      "A field, parameter or header is missing, unknown, too long or of the wrong shape. `errors` points at each one (`pointer` is a JSON Pointer into the body, or `#/query/<name>`, `#/path/<name>`, `#/header/<name>`). Nothing was written. Correct the request and send it again.",
  },
  malformed_json: {
    title: "The body is not valid JSON",
    explanation:
      "The body could not be read as JSON in UTF-8. Nothing was written. Check the encoding, the quotes and the commas.",
  },
  token_invalid: {
    title: "The one-time token is not valid",
    explanation:
      "A token out of a mail was mistyped, has expired, was used already, or was replaced by a newer one. Ask for a new mail and use the token from that.",
  },
  unauthenticated: {
    title: "Authentication is required",
    explanation:
      "The call needs an access token in `Authorization: Bearer <token>`, and none was sent, or the one sent is not valid. Log in and send the token.",
  },
  invalid_credentials: {
    title: "The credentials are not valid",
    explanation:
      "No account has this address with this password. The answer is the same whether the address or the password is wrong.",
  },
  token_expired: {
    title: "The token has expired",
    explanation: "The access or refresh token is past its life. Refresh the session, or log in again.",
  },
  token_revoked: {
    title: "The token has been revoked",
    explanation:
      "The session behind this token was ended: by a logout, a change of password or role, a deletion, or because a used refresh token came back. Log in again.",
  },
  forbidden: {
    title: "Not permitted",
    explanation: "You are known, but this action is not yours to take. Repeating the call will not help.",
  },
  not_found: {
    title: "Not found",
    explanation:
      "There is nothing at this address that you may see. What does not exist and what is not yours are answered alike.",
  },
  method_not_allowed: {
    title: "Method not allowed",
    explanation: "The path exists, but not with this method. `Allow` lists the methods that work.",
  },
  email_taken: {
    title: "The address is taken",
    explanation: "An account with this address exists. Log in, or ask for a password reset.",
  },
  sku_taken: {
    title: "The SKU is taken",
    explanation: "A product with this SKU exists. Choose another, or change that product.",
  },
  out_of_stock: {
    title: "Out of stock",
    explanation:
      "At least one product has fewer pieces left than were ordered; `products` names each with what was requested and what is available. Nothing was ordered.",
  },
  invalid_transition: {
    title: "The state does not allow this",
    explanation:
      "The resource is in a state from which this change is not possible. Read it again to see where it stands.",
  },
  idempotency_in_progress: {
    title: "The first call with this key is still running",
    explanation:
      "A request with the same `Idempotency-Key` has not finished. Wait a moment and repeat it; you will then get its answer.",
  },
  precondition_failed: {
    title: "The resource has changed",
    explanation:
      "`If-Match` names another version than the current one. Nothing was written. Read the resource again, apply your change to it, and send it with the new `ETag`.",
  },
  payload_too_large: {
    title: "The body is too large",
    explanation: "A body may have at most 256 KiB. Nothing was written.",
  },
  unsupported_media_type: {
    title: "Unsupported content type",
    explanation:
      "The body's `Content-Type` is not one that this call reads. Send `application/json` (a PATCH may also be `application/merge-patch+json`).",
  },
  idempotency_key_reused: {
    title: "The idempotency key was used for another request",
    explanation:
      "The same `Idempotency-Key` came with another body before. Use a new key for a new request; repeat a request unchanged.",
  },
  rate_limited: {
    title: "Too many requests",
    explanation:
      "The budget for this client is spent. `Retry-After` says after how many seconds to call again; `violated-policies` names the policy that refused.",
  },
  internal: {
    title: "Something went wrong on our side",
    explanation:
      "An error that should not happen did. It is logged under the `requestId` of the answer. Repeat the call; if it persists, report that id.",
  },
  unavailable: {
    title: "Temporarily unavailable",
    explanation:
      "A part that this call needs did not answer in time. `Retry-After` says when to try again. Send an `Idempotency-Key` to make repeating an unsafe call safe.",
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export const ERROR_CODES = Object.keys(ERROR_CATALOGUE) as readonly ErrorCode[];

export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, value);
}

/** The business says no. `detail` is safe to show to anybody who may make the call. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly violations?: readonly Violation[];
  /** Whole seconds, at least 1; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  readonly extensions?: RefusalExtensions;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

export function done<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function refuse(
  code: ErrorCode,
  detail: string,
  more: Omit<Refusal, "code" | "detail"> = {},
): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { code, detail, ...more } };
}

/** The one answer for what is not there and for what is not yours: equal byte for byte. */
export function refuseNotFound(): { readonly ok: false; readonly refusal: Refusal } {
  return refuse("not_found", "There is nothing here that you may see.");
}

/** @param noun what was to be changed: `user` */
export function refuseStale(noun: string) {
  return refuse(
    "precondition_failed",
    `The ${noun} has another version than \`If-Match\` names. Nothing was changed.`,
  );
}

/** Other changes were faster each time, and the caller named no version. @param noun what was to be changed: `user` */
export function refuseBusy(noun: string) {
  return refuse("unavailable", `The ${noun} is being changed by others. Nothing was changed.`, {
    retryAfterSeconds: 1,
  });
}

/** A single violation as a refusal. */
export function refuseInvalid(violation: Violation): { readonly ok: false; readonly refusal: Refusal } {
  return refuse("validation_failed", "The request is not valid.", { violations: [violation] });
}

interface FailureOptions {
  /** Whether repeating the same call may help. Default true for `unavailable`. */
  readonly isRetryable?: boolean;
  readonly retryAfterSeconds?: number;
  /** A sentence for the client, in place of the catalogue's. */
  readonly detail?: string;
  /** Private: logged redacted, never sent. */
  readonly cause?: unknown;
}

/** A failure of something we stand on. The message is for the log; the client sees `detail`, or the catalogue's words. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: "internal" | "unavailable";
  readonly isRetryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly detail: string | undefined;

  constructor(code: "internal" | "unavailable", message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.isRetryable = options.isRetryable ?? code === "unavailable";
    this.detail = options.detail;
    this.retryAfterSeconds = options.retryAfterSeconds ?? (code === "unavailable" ? 1 : undefined);
  }
}
