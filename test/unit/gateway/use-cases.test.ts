/** Every route, field and method of a protocol runs a line of the table, and every line is reachable. */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { GraphQLObjectType } from "graphql";
import { describe, expect, test } from "vitest";
import { authBinding } from "../../../src/gateway/bindings/auth";
import { ordersBinding } from "../../../src/gateway/bindings/orders";
import { usersBinding } from "../../../src/gateway/bindings/users";
import { schema } from "../../../src/gateway/graphql/schema/schema";
import { createApp } from "../../../src/gateway/http/app";
import { AuthService } from "../../../src/gateway/rpc/gen/auth/v1/auth_service_pb";
import { OrderService } from "../../../src/gateway/rpc/gen/orders/v1/order_service_pb";
import { UserService } from "../../../src/gateway/rpc/gen/users/v1/user_service_pb";
import { STREAMS, USE_CASES } from "../../../src/gateway/use-cases";
import { wire } from "../../../src/wiring";

const SOURCES: Readonly<Record<string, string>> = import.meta.glob(
  [
    "../../../src/gateway/http/routes/*.ts",
    "../../../src/gateway/graphql/schema/*.ts",
    "../../../src/gateway/rpc/*-service.ts",
    "../../../src/gateway/bindings/*.ts",
  ],
  { query: "?raw", import: "default", eager: true },
);

const IS_SAFE: ReadonlyMap<string, boolean> = new Map([
  ...Object.entries(USE_CASES).map(([name, { isSafe }]) => [name, isSafe] as const),
  ...Object.keys(STREAMS).map((name) => [name, true] as const),
]);

/** Their routes are not of the business: health, pages, keys, metrics. */
const WITHOUT_USE_CASE = ["keys.ts", "mail-pages.ts", "metrics.ts", "operations.ts"];

/** What a loader runs. */
const LOADED: Readonly<Record<string, string>> = {
  users: "users.get",
  products: "products.get",
  ordersOf: "orders.list",
};

function sourcesIn(folder: string): readonly (readonly [string, string])[] {
  return Object.entries(SOURCES)
    .filter(([path]) => path.includes(`/gateway/${folder}/`))
    .map(([path, text]) => [path.slice(path.lastIndexOf("/") + 1), text] as const);
}

/** The pieces of a text that begin where the pattern matches, by the pattern's first group. */
function pieces(text: string, start: RegExp): readonly (readonly [string, string])[] {
  const found = [...text.matchAll(start)];
  return found.map((match, index) => [
    match[1] ?? "",
    text.slice(match.index, found[index + 1]?.index ?? text.length),
  ]);
}

/** The lines that a piece runs: those that it hands to a runner, and those of the loaders that it uses. */
function linesIn(piece: string): readonly string[] {
  const run = /(?:perform|performFor|answerBy|resolveBy|listPage|streamUseCase)\([^"]*"([^"]+)"/g;
  const names = [...piece.matchAll(run)].map(([, name = ""]) => name);
  const loaded = [...piece.matchAll(/loaders\.(\w+)/g)].map(([, name = ""]) => LOADED[name] ?? name);
  return [...names, ...loaded];
}

interface Entry {
  readonly name: string;
  readonly isSafe: boolean;
  readonly lines: readonly string[];
}

/** One for each route under /api. A route file whose chain is longer or shorter than what it registers fails below. */
function routes(): readonly Entry[] {
  return sourcesIn("http/routes")
    .filter(([file]) => !WITHOUT_USE_CASE.includes(file))
    .flatMap(([file, text]) =>
      pieces(text, /\.(get|post|put|patch|delete)\("\//g).map(([method, piece]) => ({
        name: `${file} ${method} ${/"([^"]+)"/.exec(piece)?.[1]}`,
        isSafe: method === "get",
        lines: linesIn(piece),
      })),
    );
}

function fields(): readonly Entry[] {
  const text = sourcesIn("graphql/schema")
    .map(([, source]) => source)
    .join("\n");
  const typed = [schema.getQueryType(), schema.getMutationType()] as readonly GraphQLObjectType[];
  return typed.flatMap((type) => {
    const isSafe = type.name === "Query";
    const blocks = pieces(text, /^builder\.(\w+)\(/gm).filter(
      ([kind]) => kind === (isSafe ? "queryFields" : "mutationFields"),
    );
    const known = new Map(blocks.flatMap(([, block]) => pieces(block, /^ {2}(\w+): t\./gm)));
    return Object.keys(type.getFields()).map((name) => ({
      name: `${type.name}.${name}`,
      isSafe,
      lines: linesIn(known.get(name) ?? ""),
    }));
  });
}

const METHOD_START = /^ {2}async \*?(\w+)\(/gm;
/** `MethodOptions.IdempotencyLevel` */
const NO_SIDE_EFFECTS = 1;

function methods(): readonly Entry[] {
  const known = new Map(sourcesIn("rpc").flatMap(([, text]) => pieces(text, METHOD_START)));
  const services: readonly DescService[] = [AuthService, OrderService, UserService];
  return services.flatMap((service) =>
    service.methods.map(({ name, localName, idempotency, methodKind }: DescMethod) => ({
      name: `${service.typeName}/${name}`,
      isSafe: idempotency === NO_SIDE_EFFECTS || methodKind === "server_streaming",
      lines: linesIn(known.get(localName) ?? ""),
    })),
  );
}

function bindings(): readonly Omit<Entry, "isSafe">[] {
  return Object.entries({
    "auth.ts": authBinding,
    "orders.ts": ordersBinding,
    "users.ts": usersBinding,
  }).flatMap(([file, binding]) => {
    const text = sourcesIn("bindings").find(([name]) => name === file)?.[1] ?? "";
    const known = new Map(pieces(text, METHOD_START));
    return Object.keys(binding).map((name) => ({
      name: `${file} ${name}`,
      lines: linesIn(known.get(name) ?? ""),
    }));
  });
}

describe.each([
  ["REST route", routes()],
  ["GraphQL root field", fields()],
  ["RPC method", methods()],
] as const)("each %s", (_kind, entries) => {
  test.each(entries.map((entry) => [entry.name, entry] as const))(
    "%s runs one use case, and is safe exactly if that is",
    (_name, { isSafe, lines }) => {
      expect(lines.map((line) => IS_SAFE.get(line))).toEqual([isSafe]);
    },
  );
});

test.each(bindings().map((entry) => [entry.name, entry] as const))(
  "the binding method %s runs one use case",
  (_name, { lines }) => {
    expect(lines.map((line) => IS_SAFE.has(line))).toEqual([true]);
  },
);

test("no registered route under /api is missing above", () => {
  const registered = createApp(wire).routes.filter(
    ({ method, path }) => method !== "ALL" && path.startsWith("/api/"),
  );
  const handled = new Set(registered.map(({ method, path }) => `${method} ${path}`));
  expect(routes()).toHaveLength(handled.size);
});

test("each use case of the table can be called by some protocol", () => {
  const called = new Set(
    [...routes(), ...fields(), ...methods(), ...bindings()].flatMap(({ lines }) => lines),
  );
  expect([...IS_SAFE.keys()].filter((name) => !called.has(name))).toEqual([]);
});
