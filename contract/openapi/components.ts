/** What calls share in the document: schemas out of zod, headers, parameters, security schemes. */
import * as z from "zod";
import { ERROR_CODES } from "../../src/kernel/errors";
import { CURSOR, EXAMPLES, REQUEST_ID, USER_ID } from "../examples";
import { problemExample } from "./errors";
import { INPUTS } from "./inputs";
import { OUTPUTS } from "./outputs";

export type JsonSchema = Record<string, unknown>;

/** Every named schema. Inputs are shown as a client sends them, before defaults and transformations. */
export function componentSchemas(): Record<string, JsonSchema> {
  return {
    ...named(INPUTS, "input", bounded),
    // Fields are added to answers within a version: a reader lets pass what it does not know.
    ...named(OUTPUTS, "output", (schema) => bounded(withoutKey(schema, "additionalProperties"))),
  };
}

/** The parameters of a query, as a client writes them. */
export function queryParameters(schema: z.core.$ZodObject): readonly object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(QUERY_WORDS[name] === undefined ? {} : { description: QUERY_WORDS[name] }),
    schema: bounded(property as JsonSchema),
  }));
}

const QUERY_WORDS: Readonly<Record<string, string>> = {
  limit: "How many at most.",
  cursor: "`nextCursor` of the page before. Good for this list, sort and filter alone.",
  sort: "A leading `-` is descending.",
  createdAfter: "RFC 3339; not included.",
  createdBefore: "RFC 3339; not included.",
  after: "Where to go on: the position of the last one seen.",
  from: "From here on, included.",
  to: "Until here.",
  userId: "Another's only by an administrator.",
};

function named(
  schemas: Readonly<Record<string, z.core.$ZodType>>,
  io: "input" | "output",
  finish: (schema: JsonSchema) => JsonSchema,
): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: made } = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    // Meaning that is not in the schema stays in the table of operations; descriptions come with each schema.
    metadata: registry,
    override: ({ zodSchema, jsonSchema }) => {
      const { id: _, ...meta } = (z.globalRegistry.get(zodSchema) ?? {}) as JsonSchema;
      Object.assign(jsonSchema, meta);
    },
  } as Parameters<typeof z.toJSONSchema>[1] & { uri: (id: string) => string });
  return Object.fromEntries(
    Object.entries(made).map(([name, { $schema: _schema, $id: _id, id: _name, ...schema }]) => [
      name,
      finish(schema as JsonSchema),
    ]),
  );
}

/** What a format bounds by itself, said aloud: validators and generators do not know it. */
const LENGTHS: Readonly<Record<string, number>> = { uuid: 36, "date-time": 35, date: 10 };

function bounded(schema: JsonSchema): JsonSchema {
  return mapSchemas(schema, (node) => {
    const max = typeof node.format === "string" ? LENGTHS[node.format] : undefined;
    const isText = node.type === "string" && max !== undefined;
    // Every member of a JSON object has a name that is text.
    const { pattern, propertyNames: _, ...rest } = node;
    // The format says it better than the pattern that enforces it.
    if (isText) return { ...rest, maxLength: node.maxLength ?? max };
    if (node.type === "integer" && node.format === undefined) return { ...node, format: "int64" };
    return pattern === undefined ? rest : { ...rest, pattern };
  });
}

function withoutKey(schema: JsonSchema, key: string): JsonSchema {
  return mapSchemas(schema, (node) => {
    // A map's values stay described.
    if (typeof node[key] === "object") return node;
    const { [key]: _, ...rest } = node;
    return rest;
  });
}

/** The schema with `change` applied to each object in it, innermost first. */
function mapSchemas(value: JsonSchema, change: (node: JsonSchema) => JsonSchema): JsonSchema {
  const walk = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(walk);
    if (typeof inner !== "object" || inner === null) return inner;
    return change(Object.fromEntries(Object.entries(inner).map(([key, child]) => [key, walk(child)])));
  };
  return walk(value) as JsonSchema;
}

export function componentExamples(): Record<string, object> {
  return {
    ...Object.fromEntries(Object.entries(EXAMPLES).map(([name, value]) => [name, { value }])),
    ...Object.fromEntries(ERROR_CODES.map((code) => [`problem_${code}`, problemExample(code)])),
  };
}

const text = (maxLength: number, pattern: string) => ({ type: "string", maxLength, pattern });
const header = (description: string, schema: object, example: string | number) => ({
  description,
  schema,
  example,
});
const seconds = { type: "integer", format: "int32", minimum: 0, maximum: 2_147_483_647 };
const bookmark = text(59, "^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$");
const BOOKMARK = "0000002a-00000001-00004e2b-7f1c9d3b5a8e4f60a1b2c3d4e5f60718";

export const HEADERS = {
  ETag: header("The version, quoted.", text(20, '^"[0-9]+"$'), '"1"'),
  Location: header("The path of what was created.", text(200, "^/api/"), `/api/users/${USER_ID}`),
  Link: header(
    'The next page, `rel="next"`; absent on the last.',
    text(4_096, "^<"),
    `</api/products?cursor=${CURSOR}>; rel="next"`,
  ),
  "X-Request-Id": header("Names this call in the logs.", text(128, "^[\\x21-\\x7e]+$"), REQUEST_ID),
  "X-D1-Bookmark": header("Send it with later requests, and they see this write.", bookmark, BOOKMARK),
  "RateLimit-Policy": header("The budget `default`.", text(100, '^"'), '"default";q=100;w=900'),
  RateLimit: header(
    "What is left of it, and in how many seconds more is free.",
    text(100, '^"'),
    '"default";r=99;t=900',
  ),
  "Retry-After": header("Seconds to wait.", seconds, 30),
  "WWW-Authenticate": header("RFC 6750.", text(300, "^Bearer"), 'Bearer realm="meridian"'),
  "Access-Control-Allow-Origin": header(
    "The origin that asked, when `CORS_ORIGINS` lists it; absent otherwise.",
    text(300, "^(?:\\*|https?://)"),
    "https://app.example",
  ),
  "Idempotency-Replayed": header(
    "`true` when this is the recorded answer of an earlier call with the same key.",
    { type: "string", enum: ["true"] },
    "true",
  ),
} as const;

/** Those that may be left out have no example: readers that fill forms in would send it. */
export const PARAMETERS = {
  Id: {
    name: "id",
    in: "path",
    required: true,
    schema: { type: "string", format: "uuid", maxLength: 36 },
    example: USER_ID,
  },
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "Makes it safe to repeat: the same key gets the recorded answer for 24 h. A new key for each new request.",
    schema: { ...text(255, "^[\\x21-\\x7e]+$"), minLength: 1 },
  },
  IfMatch: {
    name: "If-Match",
    in: "header",
    description: "The `ETag` of the version that you saw; with another one nothing is written.",
    schema: text(1_000, '^(?:\\*|(?:W/)?".*)$'),
  },
  IfNoneMatch: {
    name: "If-None-Match",
    in: "header",
    description: "The `ETag` that you have; 304 when it is still current.",
    schema: text(1_000, '^(?:\\*|(?:W/)?".*)$'),
  },
  Bookmark: {
    name: "X-D1-Bookmark",
    in: "header",
    description: "Of an earlier write: the answer shows at least that.",
    schema: bookmark,
  },
} as const;

export const SECURITY_SCHEMES = {
  accessToken: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "`accessToken` of a login (RFC8725: ES256, `typ: at+jwt`), 15 minutes.",
  },
  eventsToken: {
    type: "http",
    scheme: "bearer",
    description: "The secret `EVENTS_TOKEN`: reads the event log and nothing else.",
  },
  metricsToken: {
    type: "http",
    scheme: "bearer",
    description: "The secret `METRICS_TOKEN`: reads the metrics and nothing else.",
  },
} as const;
