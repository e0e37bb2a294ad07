/** What a body must be before anything parses it: bounded, of a content type that is read here, and UTF-8. */
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import type { GatewayEnv } from "../../request-context";
import { problem } from "../problem";

const BODY_BYTES_MAX = 256 * 1024;

/** **Errors**: `payload_too_large`, by `Content-Length` or, without one, by counting. */
export const boundedBody = bodyLimit({
  maxSize: BODY_BYTES_MAX,
  onError: (c) => problem(c, { code: "payload_too_large", detail: "A body may have at most 256 KiB." }),
});

/** No parameter but the charset, once, and that UTF-8. Source: RFC 9110, sections 5.6.6 and 8.3.1. */
const JSON_TYPE = /^application\/(json|merge-patch\+json)[ \t]*(?:;[ \t]*(?:charset="?utf-8"?)?)?$/i;

/** **Errors**: `unsupported_media_type`; `malformed_json` when the bytes are not UTF-8. */
export const jsonBody = createMiddleware<GatewayEnv>(async (c, next) => {
  if (c.req.raw.body === null) return await next();
  const bytes = await c.req.arrayBuffer();
  if (bytes.byteLength === 0) return await next();
  if (!isReadable(c.req.method, c.req.header("content-type") ?? "")) {
    return problem(c, {
      code: "unsupported_media_type",
      detail: "Send the body as `application/json` in UTF-8.",
    });
  }
  if (!isUtf8(bytes)) return problem(c, { code: "malformed_json", detail: "The body is not valid UTF-8." });
  await next();
});

function isReadable(method: string, contentType: string): boolean {
  const subtype = JSON_TYPE.exec(contentType.trim())?.[1]?.toLowerCase();
  return subtype === "json" || (subtype === "merge-patch+json" && method === "PATCH");
}

function isUtf8(bytes: ArrayBuffer): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
