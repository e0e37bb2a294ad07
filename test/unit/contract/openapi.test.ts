/** The document and the code say the same. */
import { describe, expect, test } from "vitest";
import {
  EXAMPLES,
  INPUTS,
  OPERATIONS,
  OUTPUTS,
  openApiDocument,
  UNDESCRIBED,
} from "../../../contract/openapi";
import { createApp } from "../../../src/gateway/http/app";
import { ERROR_CODES } from "../../../src/kernel/errors";
import type * as z from "../../../src/kernel/schema";

const app = createApp(() => {
  throw new Error("no route is called here");
});

const routes = app.routes
  .filter(({ method }) => method !== "ALL")
  .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)(?:\{[^}]*\}\+?)?/g, "{$1}")}`);

test("every route is in the document or listed with the reason why not, and each of these is a route", () => {
  const described = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
  const listed = [...described, ...Object.keys(UNDESCRIBED)];
  expect(listed.toSorted()).toEqual([...new Set(routes)].toSorted());
});

test("operations have names of their own", () => {
  expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
});

describe("examples", () => {
  const bodies = OPERATIONS.flatMap(({ body }) => (body === undefined ? [] : [body]));
  test.each(bodies)("$example is accepted as $schema", ({ schema, example }) => {
    expect((INPUTS[schema] as z.ZodMiniType).safeParse(EXAMPLES[example])).toMatchObject({ success: true });
  });

  const answers = OPERATIONS.flatMap(({ answers }) =>
    answers.flatMap(({ schema, example }) => (schema && example ? [{ schema, example }] : [])),
  );
  test.each(answers)("$example is a whole $schema", ({ schema, example }) => {
    expect((OUTPUTS[schema] as z.ZodMiniType).safeParse(EXAMPLES[example])).toMatchObject({ success: true });
  });

  test("every call with a body, in or out, shows one", () => {
    const bare = OPERATIONS.filter(({ answers }) =>
      answers.some(({ schema, example }) => schema && !example),
    );
    expect(bare).toEqual([]);
  });
});

test("every error code that REST can answer is shown with an example", () => {
  const text = JSON.stringify(openApiDocument("0.0.0"));
  const unseen = ERROR_CODES.filter(
    (code) => !text.includes(`"$ref":"#/components/examples/problem_${code}"`),
  );
  // A path that exists, but not with this method, is no operation.
  expect(unseen).toEqual(["method_not_allowed"]);
});
