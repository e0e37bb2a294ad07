/** Holds real answers against the document: an answer that it does not describe fails the test. */
import { expect } from "vitest";
import { OPERATIONS, OUTPUTS } from "../../contract/openapi";
import { errorsOf } from "../../contract/openapi/errors";
import { ERROR_MAP } from "../../src/gateway/error-map";
import type * as z from "../../src/kernel/schema";
import { type Answer, type Call, call } from "./client";

/** As `call`; the answer's status, body and headers must be those of the operation. */
export async function judged(operationId: string, path: string, options: Call = {}): Promise<Answer> {
  const operation = OPERATIONS.find(({ id }) => id === operationId);
  if (operation === undefined) throw new Error(`the document has no operation ${operationId}`);
  const pattern = new RegExp(`^${operation.path.replace(/\{\w+\}/g, "[^/]+")}$`);
  expect(path.split("?")[0]).toMatch(pattern);
  const answer = await call(path, { ...options, method: operation.method.toUpperCase() });
  const documented = operation.answers.find(({ status }) => status === answer.status);
  expect(answer.headers.has("x-request-id")).toBe(true);
  if (documented === undefined) {
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    OUTPUTS.Problem.parse(answer.json);
    expect(errorsOf(operation)).toContain(answer.json.code);
    expect(ERROR_MAP[answer.json.code as keyof typeof ERROR_MAP].http).toBe(answer.status);
    return answer;
  }
  for (const name of documented.headers ?? []) {
    if (name !== "Link") expect(answer.headers.has(name), `${operationId} answers ${name}`).toBe(true);
  }
  if (documented.texts !== undefined) expectText(documented.texts, answer);
  else if (documented.schema === undefined) expect(answer.text).toBe("");
  else if (documented.isPage) expectPage(OUTPUTS[documented.schema], answer.json);
  else (OUTPUTS[documented.schema] as z.ZodMiniType).parse(answer.json);
  return answer;
}

function expectText(texts: Readonly<Record<string, string>>, { headers, text }: Answer): void {
  expect(Object.keys(texts)).toContain(headers.get("content-type")?.replace(/;.*/, ""));
  expect(text).not.toBe("");
}

function expectPage(item: z.ZodMiniType, page: { data: unknown[]; nextCursor: unknown }): void {
  expect(Object.keys(page).toSorted()).toEqual(["data", "nextCursor"]);
  for (const entry of page.data) item.parse(entry);
}
