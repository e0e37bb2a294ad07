import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLogger } from "../../../src/platform/observability/logger";

const SECRET = "ada@example.com";

let lines: string[] = [];

beforeEach(() => {
  lines = [];
  for (const level of ["debug", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((line: string) => void lines.push(line));
  }
});
afterEach(() => vi.restoreAllMocks());

function writtenBy(log: () => void): unknown {
  log();
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? "");
}

test("a line of plain fields is redacted by name and by shape, and keeps the rest", () => {
  const fields = { email: SECRET, detail: `sent to ${SECRET}`, status: 200, code: null, isLast: true };
  const log = createLogger("info", { requestId: "r-1" });
  expect(writtenBy(() => log.log("info", "request", fields))).toEqual({
    ...{ level: "info", event: "request", requestId: "r-1" },
    ...{ email: "[redacted]", detail: "sent to [redacted]", status: 200, code: null, isLast: true },
  });
});

test("a line with a list or an object in it is redacted to the bottom", () => {
  const fields = { email: SECRET, inner: { list: [SECRET], to: SECRET } };
  expect(writtenBy(() => createLogger("info").log("warn", "batch", fields))).toEqual({
    ...{ level: "warn", event: "batch", email: "[redacted]" },
    inner: { list: ["[redacted]"], to: "[redacted]" },
  });
});

test("what the caller handed in stays as it was, and so do the fields of every line", () => {
  const [common, fields] = [{ actor: SECRET }, { email: SECRET }];
  const log = createLogger("info", common);
  log.log("info", "first", fields);
  log.log("info", "second", fields);
  expect([common, fields]).toEqual([{ actor: SECRET }, { email: SECRET }]);
  expect(lines.join()).not.toContain(SECRET);
});

test("what is below the level is not written", () => {
  createLogger("warn").log("info", "request");
  expect(lines).toEqual([]);
});
