/**
 * `errors.v1.ErrorDetail` in protobuf's wire format, written by hand: a refusal before the handler must not wait for the
 * library, whose descriptors take longer to load than the refusal to send. A test holds it against the library.
 * Source: protobuf.dev/programming-guides/encoding
 */
import type { Refusal } from "../../kernel/errors";
import type { Shortage, Violation } from "../../kernel/refusal-details";
import { utf8 } from "../../platform/encoding";

export type Bytes = Uint8Array<ArrayBuffer>;

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** What of a refusal its detail carries. */
export interface ErrorDetailFields {
  readonly code: string;
  readonly requestId: string;
  readonly violations: readonly Violation[];
  readonly retryAfterSeconds?: number;
  readonly shortages: readonly Shortage[];
  readonly violatedPolicies: readonly string[];
}

export function errorDetailOf(refusal: Refusal, requestId: string): ErrorDetailFields {
  const { code, violations = [], retryAfterSeconds, extensions = {} } = refusal;
  return {
    code,
    requestId,
    violations,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    shortages: extensions.products ?? [],
    violatedPolicies: (extensions["violated-policies"] ?? []).map(({ policy }) => policy),
  };
}

export function encodeErrorDetail(detail: ErrorDetailFields): Bytes {
  return join([
    text(1, detail.code),
    text(2, detail.requestId),
    ...detail.violations.map(({ pointer, code, message }) =>
      nested(3, join([text(1, pointer), text(2, code), text(3, message)])),
    ),
    detail.retryAfterSeconds === undefined ? EMPTY : present(4, detail.retryAfterSeconds),
    ...detail.shortages.map(({ productId, requested, available }) =>
      nested(5, join([text(1, productId), whole(2, requested), whole(3, available)])),
    ),
    ...detail.violatedPolicies.map((policy) => nested(6, utf8(policy))),
  ]);
}

/** `google.rpc.Status` with one detail, for `grpc-status-details-bin`. */
export function encodeStatus(code: number, message: string, detailType: string, detail: Bytes): Bytes {
  const any = join([text(1, `type.googleapis.com/${detailType}`), nested(2, detail)]);
  return join([whole(1, code), text(2, message), nested(3, any)]);
}

const EMPTY: Bytes = new Uint8Array(0);

/** A singular field without explicit presence is left out when it is empty. */
function text(field: number, value: string): Bytes {
  return value === "" ? EMPTY : nested(field, utf8(value));
}

function whole(field: number, value: number): Bytes {
  return value === 0 ? EMPTY : present(field, value);
}

function present(field: number, value: number): Bytes {
  return join([varint((field << 3) | VARINT), varint(value)]);
}

function nested(field: number, value: Bytes): Bytes {
  return join([varint((field << 3) | LENGTH_DELIMITED), varint(value.byteLength), value]);
}

/** @param value 0 to 2^31 - 1 */
function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

export function join(parts: readonly Bytes[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}
