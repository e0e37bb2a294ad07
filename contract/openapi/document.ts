/** The OpenAPI document out of the table of operations. Source: OpenAPI Specification 3.1.1. */

import { ERROR_MAP } from "../../src/gateway/error-map";
import type { ErrorCode } from "../../src/kernel/errors";
import {
  componentExamples,
  componentSchemas,
  HEADERS,
  PARAMETERS,
  queryParameters,
  SECURITY_SCHEMES,
} from "./components";
import { errorResponse, errorResponseName, errorsOf } from "./errors";
import type { Answer, Operation, PathParameter } from "./operation";

const PAGE_MAX = 366;
const TEXT_LENGTH_MAX = 10_000_000;

const TAGS = {
  Users: "Accounts and profiles.",
  Auth: "Logging in and out, passwords, addresses.",
  Products: "What can be ordered.",
  Orders: "From placing to delivery.",
  Events: "The log of everything that happened, and what was not delivered.",
  Webhooks: "Events by HTTP, for those without a queue.",
  Administration: "Limits, the audit trail, counts.",
  Operations: "Health, keys, explanations.",
} as const;

const DESCRIPTION = `Users, auth and orders behind one API gateway, at the edge.

Log in with \`POST /api/auth/login\` and send \`Authorization: Bearer <accessToken>\`. Errors are problem documents (RFC 9457):
branch on \`code\`. Every write answers with \`X-D1-Bookmark\`: send it along, and you read your own writes. Send an
\`Idempotency-Key\` with unsafe calls, and repeat them without fear. Answers gain fields over time; ignore those that you do
not know. The same use cases are served as GraphQL at \`/graphql\` and as Connect at \`/rpc\`.`;

export function describe(operations: readonly Operation[], version: string): object {
  const shared = new Map<string, object>();
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: callOf(operation, shared),
    };
  }
  const pages = new Set(
    operations.flatMap(({ answers }) => answers.flatMap((it) => (it.isPage && it.schema ? [it.schema] : []))),
  );
  return {
    openapi: "3.1.1",
    info: {
      title: "Meridian",
      version,
      summary: "Users, auth and orders.",
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
      contact: { name: "Meridian", url: "https://meridian.example/docs" },
    },
    servers: [
      {
        url: "/",
        description: "The server that this document came from: local, staging or production.",
        "x-internal": false,
      },
    ],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ accessToken: [] }],
    paths,
    components: {
      schemas: {
        ...componentSchemas(),
        ...Object.fromEntries([...pages].map((name) => [`${name}Page`, pageSchema(name)])),
      },
      responses: Object.fromEntries(shared),
      parameters: PARAMETERS,
      headers: HEADERS,
      examples: usedExamples({ paths, responses: [...shared.values()] }),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

/** Pages show their items inline. */
function usedExamples(where: object): Record<string, object> {
  const text = JSON.stringify(where);
  return Object.fromEntries(
    Object.entries(componentExamples()).filter(([name]) => text.includes(`"#/components/examples/${name}"`)),
  );
}

function callOf(operation: Operation, shared: Map<string, object>): object {
  const { id, tag, summary, description, body } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: description ?? `${summary}.`,
    security: securityOf(operation),
    parameters: parametersOf(operation),
    ...(body === undefined ? {} : { requestBody: bodyOf(operation, body) }),
    responses: {
      ...Object.fromEntries(
        operation.answers.map((answer) => [String(answer.status), answerOf(operation, answer)]),
      ),
      ...errorResponsesOf(operation, shared),
    },
  };
}

function securityOf({ access }: Operation): readonly object[] {
  switch (access) {
    case "anyone":
      return [];
    case "user":
    case "admin":
      return [{ accessToken: [] }];
    case "events":
      return [{ accessToken: [] }, { eventsToken: [] }];
    case "metrics":
      return [{ metricsToken: [] }];
  }
}

function parametersOf(operation: Operation): readonly object[] {
  const refs: string[] = [];
  if (operation.path.includes("{id}")) refs.push("Id");
  if (operation.isKeyed) refs.push("IdempotencyKey");
  if (operation.isPreconditioned) refs.push("IfMatch");
  if (operation.answers.some(({ status }) => status === 304)) refs.push("IfNoneMatch");
  if (isApi(operation)) refs.push("Bookmark");
  return [
    ...Object.entries(operation.pathParameters ?? {}).map(pathParameter),
    ...(operation.query === undefined ? [] : queryParameters(operation.query)),
    ...refs.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

function pathParameter([name, { description, pattern, maxLength, example }]: [
  string,
  PathParameter,
]): object {
  const schema = { type: "string", pattern, maxLength };
  return { name, in: "path", required: true, description, schema, example };
}

function bodyOf({ method }: Operation, { schema, example }: NonNullable<Operation["body"]>): object {
  const media = jsonOf(schema, example);
  const patch = method === "patch" ? { "application/merge-patch+json": media } : {};
  return { required: true, content: { "application/json": media, ...patch } };
}

function answerOf(operation: Operation, answer: Answer): object {
  const { description, headers } = answer;
  const isWrite = operation.method !== "get";
  const names: (keyof typeof HEADERS)[] = [
    ...(headers ?? []),
    "X-Request-Id",
    "Access-Control-Allow-Origin",
    ...(isApi(operation) ? (["RateLimit-Policy", "RateLimit"] as const) : []),
    ...(isApi(operation) && isWrite ? (["X-D1-Bookmark"] as const) : []),
    ...(operation.isKeyed ? (["Idempotency-Replayed"] as const) : []),
  ];
  return {
    description,
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...contentOf(answer),
  };
}

function contentOf({ schema, isPage, example, texts }: Answer): object {
  if (schema !== undefined) return { content: { "application/json": mediaOf(schema, isPage, example) } };
  if (texts === undefined) return {};
  const plain = { type: "string", maxLength: TEXT_LENGTH_MAX };
  return { content: mapValues(texts, (text) => ({ schema: plain, example: text })) };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function mediaOf(schema: string, isPage: true | undefined, example: Answer["example"]): object {
  if (!isPage) return jsonOf(schema, example);
  const { value } = componentExamples()[example ?? ""] as { value: unknown };
  return {
    schema: { $ref: `#/components/schemas/${schema}Page` },
    examples: { page: { value: { data: [value], nextCursor: null } } },
  };
}

function jsonOf(schema: string, example: Answer["example"]): object {
  return {
    schema: { $ref: `#/components/schemas/${schema}` },
    ...(example === undefined
      ? {}
      : { examples: { [example]: { $ref: `#/components/examples/${example}` } } }),
  };
}

function pageSchema(name: string): object {
  return {
    type: "object",
    properties: {
      data: { type: "array", items: { $ref: `#/components/schemas/${name}` }, maxItems: PAGE_MAX },
      nextCursor: {
        anyOf: [{ type: "string", maxLength: 2_000 }, { type: "null" }],
        description: "Null on the last page.",
      },
    },
    required: ["data", "nextCursor"],
  };
}

function errorResponsesOf(operation: Operation, shared: Map<string, object>): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(operation)) {
    const status = ERROR_MAP[code].http;
    // Readiness answers 503 with its report.
    if (operation.answers.some((answer) => answer.status === status)) continue;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const name = errorResponseName(codes);
      shared.set(name, errorResponse(codes));
      return [String(status), { $ref: `#/components/responses/${name}` }];
    }),
  );
}

function isApi({ path }: Operation): boolean {
  return path.startsWith("/api/");
}
