/** A refusal in the words of a protocol. The gateway adds what is the same for all: status, `Retry-After`, challenge. */
import type { Refusal } from "../kernel/errors";
import type { ERROR_MAP } from "./error-map";

export interface RefusedRequest {
  readonly requestId: string;
  readonly path: string;
  readonly headers: Headers;
}

export interface RenderedRefusal {
  readonly contentType: string;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  /** Set only by protocols that have no use for HTTP's. */
  readonly status?: 200;
  readonly headers?: Readonly<Record<string, string>>;
}

export type HttpStatus = (typeof ERROR_MAP)[keyof typeof ERROR_MAP]["http"];

export type RenderRefusal = (
  refusal: Refusal,
  request: RefusedRequest,
  status: HttpStatus,
) => RenderedRefusal;
