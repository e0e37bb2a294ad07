/** A refusal as a GraphQL response: before the operation is read, so there is no `data`. */
import type { Refusal } from "../../kernel/errors";
import type { RenderRefusal } from "../refusal-rendering";

/** What of a refusal an error's `extensions` carry. */
export function extensionsOf(
  { code, violations, retryAfterSeconds, extensions }: Refusal,
  requestId: string,
) {
  return {
    code,
    requestId,
    ...(violations === undefined ? {} : { errors: violations }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...extensions,
  };
}

export const renderGraphqlRefusal: RenderRefusal = (refusal, { requestId, headers }) => ({
  contentType: headers.get("accept")?.includes("application/graphql-response+json")
    ? "application/graphql-response+json; charset=utf-8"
    : "application/json; charset=utf-8",
  body: JSON.stringify({
    errors: [{ message: refusal.detail, extensions: extensionsOf(refusal, requestId) }],
  }),
});
