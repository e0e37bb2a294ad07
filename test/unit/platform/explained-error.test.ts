import { DrizzleQueryError } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AppError } from "../../../src/kernel/errors";
import { createLogger, describeError } from "../../../src/platform/observability/logger";

const ADDRESS = "ada@example.com";
const HASH = "c2NyeXB0JDE2Mzg0JDgkNSRzYWx0c2FsdHNhbHQkaGFzaGhhc2g";

let printed: [level: string, text: string][] = [];

beforeEach(() => {
  printed = [];
  for (const level of ["debug", "info", "log", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((text: string) => void printed.push([level, text]));
  }
});
afterEach(() => vi.restoreAllMocks());

function bug(): Error {
  try {
    return (undefined as unknown as { error: Error }).error;
  } catch (error) {
    return error as Error;
  }
}

const MESSAGE = "TypeError: Cannot read properties of undefined (reading 'error')";

describe("in development", () => {
  const inDevelopment = (error: unknown) =>
    describeError(error, "development") as { error: string; stack: string };

  test("a bug is described with its message, and its frames are lines of their own", () => {
    const { error, stack } = inDevelopment(bug());
    expect(error).toBe(MESSAGE);
    const [head, ...frames] = stack.split("\n");
    expect(head).toBe(MESSAGE);
    expect(frames[0]).toMatch(/^ {4}at bug \(.*explained-error\.test\.ts.*:\d+:\d+\)$/);
    for (const frame of frames) expect(frame).toMatch(/^ {4}at /);
  });

  test("each cause has its message and its frames", () => {
    const failure = new AppError("unavailable", "the mail was not sent", { cause: bug() });
    const { error, stack } = inDevelopment(failure);
    expect(error).toBe(`AppError: the mail was not sent <- ${MESSAGE}`);
    expect(stack).toMatch(/^AppError: the mail was not sent\n {4}at /);
    expect(stack).toContain(`\ncaused by ${MESSAGE}\n    at bug (`);
  });

  test("what is thrown and is no error is described by its type and its text", () => {
    expect(inDevelopment("no such plan")).toEqual({
      error: "thrown string: no such plan",
      stack: "thrown string: no such plan",
    });
  });

  test("of a query that Drizzle wraps the text is shown and no parameter", () => {
    const text = "insert into users (email, hash, age) values (?, ?, ?)";
    const cause = new Error("D1_ERROR: UNIQUE constraint failed: users.email_key: SQLITE_CONSTRAINT");
    const { error, stack } = inDevelopment(new DrizzleQueryError(text, [ADDRESS, HASH, "hunter2"], cause));
    expect(error).toContain("UNIQUE constraint failed: users.email_key");
    expect(stack).toContain(`in: ${text}`);
    expect(error + stack).not.toMatch(/ada@|c2Nye|hunter2|params/);
  });

  test("an address or a hash in a message is left out", () => {
    const { error, stack } = inDevelopment(new TypeError(`no user ${ADDRESS} with ${HASH}`));
    expect(error).toBe("TypeError: no user [redacted] with [redacted]");
    expect(stack).not.toMatch(/ada@|c2Nye/);
  });

  test("the stack follows the log line as text, by a console method whose frames wrangler maps", () => {
    const log = createLogger("info", { requestId: "r-1", traceId: "t-1" }, "development");
    log.log("error", "request.failed", inDevelopment(bug()));
    log.log("warn", "cache.kv_failed", inDevelopment(bug()));
    const [line, stack, warning, warningStack] = printed;
    expect(JSON.parse(line?.[1] ?? "")).toEqual({
      ...{ level: "error", event: "request.failed", requestId: "r-1", traceId: "t-1", error: MESSAGE },
    });
    expect(stack).toEqual(["error", expect.stringContaining(`${MESSAGE}\n    at bug (`)]);
    expect([line?.[0], warning?.[0], warningStack?.[0]]).toEqual(["error", "warn", "log"]);
  });
});

describe.each(["deployment", "test"] as const)("in a build for %s", (target) => {
  test("a bug is described by its name and its frames, without its message", () => {
    const failure = new AppError("unavailable", "the mail was not sent", { cause: bug() });
    const { error, stack } = describeError(failure, target);
    expect(error).toBe("AppError: the mail was not sent <- TypeError");
    expect(stack).toMatch(/^ {4}at /);
    expect(describeError(bug(), target).error).toBe("TypeError");
  });

  test("a line is one JSON object with the stack in it", () => {
    createLogger("info", {}, target).log("error", "request.failed", describeError(bug(), target));
    expect(printed).toHaveLength(1);
    expect(JSON.parse(printed[0]?.[1] ?? "").stack).toMatch(/^ {4}at bug /);
  });
});
