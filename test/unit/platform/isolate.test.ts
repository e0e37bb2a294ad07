import { expect, test } from "vitest";
import { kept, keptFor, resetIsolate } from "../../../src/platform/isolate";

/** Source text of every module of the Worker but what is generated. */
const SOURCES = import.meta.glob(["../../../src/**/*.ts", "!../../../src/**/gen/**"], {
  query: "?raw",
  import: "default",
  eager: true,
});
/** A variable of a module, or a collection that begins empty: both can only be there to remember. */
const MEMORY =
  /^(?:export )?(?:let \w+|const (\w+)(?:: [^=]+)? = new (?:Weak)?(?:Map|Set)(?:<[^=]*>)?\(\))/gm;
/** Statements by their shape: the same in every isolate, and at most as many as the shapes. */
const CONSTANTS: readonly string[] = ["services/users/repository.ts: known"];

const made = { count: 0 };
const counter = kept(() => {
  made.count += 1;
  return { requests: 0 };
});
const counterFor = keptFor((on: object) => ({ on }));

test("what is kept is made when it is first asked for, and lives until the isolate is reset", () => {
  const before = made.count;
  counter().requests += 1;
  counter().requests += 1;
  expect(counter().requests).toBe(2);
  expect(made.count).toBe(before + 1);
  resetIsolate();
  expect(counter().requests).toBe(0);
});

test("each set of bindings has a value of its own", () => {
  const [one, other] = [{}, {}];
  const kept = counterFor(one);
  expect(counterFor(one)).toBe(kept);
  expect(counterFor(other)).not.toBe(kept);
  resetIsolate();
  expect(counterFor(one)).not.toBe(kept);
});

test("no module remembers anything between requests outside of platform/isolate", () => {
  const found = Object.entries(SOURCES).flatMap(([path, source]) =>
    [...source.matchAll(MEMORY)].map(
      (match) => `${path.replace("../../../src/", "")}: ${match[1] ?? match[0]}`,
    ),
  );
  expect(Object.keys(SOURCES).length).toBeGreaterThan(200);
  expect(found).toEqual(CONSTANTS);
});
