/**
 * A refusal before the handler, in the client's own protocol. A unary Connect call gets the contract's HTTP status; a
 * stream and gRPC-Web know no other status than 200, and find the code at the end or in a header.
 * Source: connectrpc.com/docs/protocol; github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
import type { Refusal } from "../../kernel/errors";
import { utf8 } from "../../platform/encoding";
import { ERROR_MAP, type Faces } from "../error-map";
import type { RefusedRequest, RenderedRefusal, RenderRefusal } from "../refusal-rendering";
import { type Bytes, encodeErrorDetail, encodeStatus, errorDetailOf, join } from "./wire-format";

export const ERROR_DETAIL_TYPE = "errors.v1.ErrorDetail";

/** Source: grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const CODE_NUMBERS: Readonly<Record<Faces["connect"], number>> = {
  invalid_argument: 3,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
};

/** Of an end-of-stream message. */
const END_STREAM_FLAG = 0b10;

export const renderRpcRefusal: RenderRefusal = (refusal, request) =>
  renderAs(ERROR_MAP[refusal.code].connect, refusal, request);

/** @param code what a client of the protocol sees; the contract's own is in the detail */
export function renderAs(
  code: Faces["connect"],
  refusal: Refusal,
  { requestId, headers }: RefusedRequest,
): RenderedRefusal {
  const contentType = headers.get("content-type")?.toLowerCase() ?? "";
  if (contentType.startsWith("application/grpc-web")) return asGrpcWeb(code, refusal, requestId, contentType);
  const error = connectError(code, refusal, requestId);
  if (!contentType.startsWith("application/connect+"))
    return { contentType: "application/json", body: JSON.stringify(error) };
  return { contentType, status: 200, body: endOfStream(JSON.stringify({ error })) };
}

function connectError(code: Faces["connect"], refusal: Refusal, requestId: string) {
  const detail = errorDetailOf(refusal, requestId);
  const value = encodeErrorDetail(detail).toBase64({ omitPadding: true });
  return {
    code,
    message: refusal.detail,
    details: [{ type: ERROR_DETAIL_TYPE, value, debug: detail }],
  };
}

function endOfStream(json: string): Bytes {
  const message = utf8(json);
  const head = new Uint8Array(5);
  head[0] = END_STREAM_FLAG;
  new DataView(head.buffer).setUint32(1, message.byteLength);
  return join([head, message]);
}

/** A response without messages, whose headers are its trailers. */
function asGrpcWeb(
  connectCode: Faces["connect"],
  refusal: Refusal,
  requestId: string,
  contentType: string,
): RenderedRefusal {
  const code = CODE_NUMBERS[connectCode];
  const detail = encodeErrorDetail(errorDetailOf(refusal, requestId));
  return {
    contentType,
    status: 200,
    body: null,
    headers: {
      "Grpc-Status": String(code),
      "Grpc-Message": encodeURIComponent(refusal.detail),
      "Grpc-Status-Details-Bin": encodeStatus(code, refusal.detail, ERROR_DETAIL_TYPE, detail).toBase64(),
    },
  };
}
