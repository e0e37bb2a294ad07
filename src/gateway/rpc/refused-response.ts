/** What the server refuses before a method is found. */
import type { Context } from "hono";
import type { Refusal } from "../../kernel/errors";
import { ERROR_MAP, type Faces } from "../error-map";
import type { GatewayEnv } from "../request-context";
import { renderAs } from "./refused";

/** @param as what a client of the protocol sees, where it is not what the error map says */
export function refusedResponse(
  c: Context<GatewayEnv>,
  refusal: Refusal,
  as: Faces["connect"] = ERROR_MAP[refusal.code].connect,
): Response {
  const status = ERROR_MAP[refusal.code].http;
  const request = { requestId: c.get("requestId"), path: c.req.path, headers: c.req.raw.headers };
  const rendered = renderAs(as, refusal, request);
  c.header("Content-Type", rendered.contentType);
  for (const [name, value] of Object.entries(rendered.headers ?? {})) c.header(name, value);
  c.set("errorCode", refusal.code);
  return c.newResponse(rendered.body, rendered.status ?? status);
}
