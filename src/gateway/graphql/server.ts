/**
 * GraphQL over HTTP. Loaded by the first call to it.
 * Source: graphql.github.io/graphql-over-http/draft, by its reference server, graphql-http.
 */
import {
  type DocumentNode,
  type ExecutionArgs,
  execute,
  GraphQLError,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from "graphql";
import type { Response as RawResponse, RequestParams } from "graphql-http";
import { createHandler } from "graphql-http/lib/use/fetch";
import type { Context } from "hono";
import { isIntrospectionOn } from "../../platform/env";
import { ERROR_MAP } from "../error-map";
import { RequestCall } from "../request-call";
import type { GatewayEnv } from "../request-context";
import { type GraphqlContext, graphqlContext, NAMES } from "./call-context";
import { requestError, shownError } from "./errors";
import { LIMITS, overLimit } from "./limits";
import { renderGraphqlRefusal } from "./refused";
import { schema } from "./schema/schema";

export async function answerGraphql(c: Context<GatewayEnv>): Promise<Response> {
  const call = new RequestCall(c, "graphql", NAMES);
  const isSchemaHidden = !isIntrospectionOn(c.var.config);
  const handler = createHandler<GraphqlContext>({
    onSubscribe: (_request, params) => {
      const prepared = prepare(params, isSchemaHidden);
      if (!("document" in prepared)) return prepared;
      const operation = getOperationAST(prepared.document, params.operationName);
      if (operation?.operation === "mutation" && c.req.method !== "POST") return refuseMutationByGet(c);
      c.set("isRead", operation?.operation !== "mutation");
      return { ...prepared, contextValue: graphqlContext(call) };
    },
    execute,
    formatError: (error) => shownError(error, call),
  });
  return withOwnHeaders(c, await handler(await requestFor(c)));
}

/**
 * Parses, measures and validates, in this order: a document over the limits is not worth validating.
 *
 * @param isSchemaHidden then a misspelt name is not answered with those that it may have meant either
 */
function prepare(
  { query, operationName, variables }: RequestParams,
  isSchemaHidden: boolean,
): ExecutionArgs | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: LIMITS.tokens });
  } catch (error) {
    return [error instanceof GraphQLError ? error : requestError("The document could not be read.")];
  }
  const variableValues = variables ?? {};
  const excess = overLimit(schema, document, variableValues);
  if (excess !== null) return [requestError(excess)];
  const rules = isSchemaHidden ? [...specifiedRules, NoSchemaIntrospectionCustomRule] : specifiedRules;
  const errors = validate(schema, document, rules, { maxErrors: 20, hideSuggestions: isSchemaHidden });
  if (errors.length > 0) return errors;
  const operation = { document, variableValues, operationName: operationName ?? null };
  return { schema, ...operation, hideSuggestions: isSchemaHidden };
}

/** By GET, and by HEAD, nothing may change: a link or an image could make a browser send it. */
function refuseMutationByGet(c: Context<GatewayEnv>): RawResponse {
  const refusal = { code: "method_not_allowed", detail: "Mutations are sent by POST." } as const;
  const status = ERROR_MAP[refusal.code].http;
  const request = { requestId: c.get("requestId"), path: c.req.path, headers: c.req.raw.headers };
  const { body, contentType } = renderGraphqlRefusal(refusal, request, status);
  return [
    typeof body === "string" ? body : null,
    { status, statusText: "Method Not Allowed", headers: { allow: "POST", "content-type": contentType } },
  ];
}

/** The body was read on the way here, to bound and to check it. HEAD is GET, whose body Hono leaves out. */
async function requestFor(c: Context<GatewayEnv>): Promise<Request> {
  const { url, method, headers } = c.req.raw;
  if (method !== "POST") return new Request(url, { headers });
  return new Request(url, { method, headers, body: await c.req.text() });
}

/** With the headers that middleware has set on the answer so far. */
function withOwnHeaders(c: Context<GatewayEnv>, response: Response): Response {
  for (const [name, value] of response.headers) c.header(name, value);
  return new Response(response.body, { status: response.status, headers: c.res.headers });
}
