/** What the build makes of the source: a start chunk without what later calls need, and chunks that load in any order. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, matchesGlob, normalize } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorkerd } from "../../bench/workerd/process.mjs";
import { buildWorker, ENTRY } from "../../scripts/build.mjs";
import { largestInputs, overLimits } from "../../scripts/start-limits.mjs";
import { ROOT, runScript } from "../../scripts/tools.mjs";
import { outputsOf, START_BYTES_MAX, START_CALLS_MAX, startOf } from "../../scripts/upload.mjs";

const cache = join(ROOT, "node_modules/.cache");
mkdirSync(cache, { recursive: true });
const work = mkdtempSync(join(cache, "build-"));
const folder = join(work, "dist");
afterAll(() => rmSync(work, { recursive: true, force: true }));

let outputs: ReturnType<typeof outputsOf>;
beforeAll(async () => {
  mkdirSync(join(folder, "chunks"), { recursive: true });
  writeFileSync(join(folder, "chunks/of-an-older-build.js"), "throw 1;");
  outputs = outputsOf(await buildWorker({ outdir: folder }), folder);
});

/** The source files of some modules. */
function sourcesOf(names: readonly string[]): string[] {
  return names.flatMap((name) => Object.keys(outputs.get(name)?.inputs ?? {}));
}

describe("the start chunk", () => {
  test.each([
    ["GraphQL", /node_modules\/(?:graphql|graphql-http|@pothos|dataloader)\//],
    ["RPC", /node_modules\/(?:@connectrpc|@bufbuild)\//],
    ["webhook delivery", /src\/services\/webhooks\/deliverer/],
    ["consumers", /src\/jobs\/(?:consumers|mails)\//],
    ["the cron", /src\/(?:jobs\/(?:index|cron|alerts)|services\/orders\/expiry)/],
    ["pages", /src\/gateway\/http\/pages\/|src\/gateway\/graphql\/explorer-page/],
    ["JSON Schemas of events", /contract\/events\/schemas\.json/],
  ])("leaves %s to the first call that needs it", (_, later) => {
    const start = startOf(outputs);
    expect(sourcesOf(start).filter((path) => later.test(path))).toEqual([]);
    const lazy = [...outputs.keys()].filter((name) => !start.includes(name));
    expect(sourcesOf(lazy).some((path) => later.test(path))).toBe(true);
  });

  test("has no schema of an answer, for those serve the document and types alone", () => {
    const start = startOf(outputs);
    const answers = readFileSync(join(ROOT, "src/services/users/schemas.ts"), "utf8");
    for (const part of ["The owner's new address until it is confirmed.", "BCP 47."]) {
      expect(answers).toContain(part);
      const holding = start.filter((name) => readFileSync(join(folder, name), "utf8").includes(part));
      expect(holding).toEqual([]);
    }
  });

  test("that is too large is named with its largest inputs, their growth, and what to do", () => {
    expect(overLimits({ startBytes: START_BYTES_MAX, startCalls: START_CALLS_MAX })).toEqual([]);
    expect(overLimits({ startBytes: START_BYTES_MAX + 7, startCalls: START_CALLS_MAX + 3 })).toEqual([
      "The start chunk is 7 bytes too large.",
      "The start makes 3 calls too many.",
    ]);
    const inputs = new Map([...Array(12).keys()].map((n) => [`src/file-${n}.ts`, 1_000 * (n + 1)]));
    const lines = largestInputs(inputs, { "src/file-11.ts": 11_500, "src/file-10.ts": 11_000 });
    const shown = lines.filter((line) => /^ +\d+ .*src\/file-\d+\.ts$/.test(line));
    expect(shown[0]).toMatch(/12000 +\+500 {2}src\/file-11\.ts/);
    expect(shown.slice(0, 10).some((line) => line.includes("src/file-0.ts"))).toBe(false);
    expect(lines.join("\n")).toContain("await import()");
  });
});

test("an older build's chunks are gone, for wrangler uploads what it finds", () => {
  const found = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".js"));
  expect(found.sort()).toEqual([...outputs.keys()].sort());
});

test("only the files that package.json names have top-level effects, for chunks load in any order", () => {
  const { sideEffects } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const named = (sideEffects as string[]).map((pattern) => normalize(pattern));
  const files = readdirSync(join(ROOT, "src"), { recursive: true })
    .map((name) => join("src", String(name)))
    .filter((path) => path.endsWith(".ts") && !path.includes("/gen/"));
  // A formatted statement at the top level starts its line; declarations have no effect of their own.
  const effect =
    /^(?!(?:export|import|const|function|async|interface|type|class|declare|let|abstract)\b)[a-z_$]/im;
  const withEffects = files.filter((path) =>
    effect.test(readFileSync(join(ROOT, path), "utf8").replace(/`[^`]*`/g, "``")),
  );
  expect(withEffects.filter((path) => !named.some((pattern) => matchesGlob(path, pattern)))).toEqual([]);
  expect(withEffects).toContain("src/kernel/schema.ts");
});

test("every chunk can be the first that an isolate loads", async () => {
  const names = [...outputs.keys()];
  const main = (name: string) =>
    `import "./${name}"; export default { fetch: () => new Response("loaded") };`;
  const embed = (name: string) => `( name = "${name}", esModule = embed "dist/${name}" )`;
  const services = names.map(
    (name, index) => `( name = "chunk-${index}", worker = (
      modules = [ ( name = "main.js", esModule = ${JSON.stringify(main(name))} ), ${names.map(embed).join(", ")} ],
      compatibilityDate = "2026-10-20", compatibilityFlags = ["nodejs_compat"]) )`,
  );
  const ask = `export default { async fetch(request, env) {
    const answers = await Promise.all(Object.entries(env).map(async ([name, chunk]) =>
      [name, await chunk.fetch(request).then((answer) => answer.text(), (error) => error.message)]));
    return Response.json(Object.fromEntries(answers));
  } };`;
  const bindings = names.map((name, index) => `( name = "${name}", service = "chunk-${index}" )`);
  const config = `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [ ${services.join(",\n")},
        ( name = "all", worker = ( modules = [ ( name = "all.js", esModule = ${JSON.stringify(ask)} ) ],
          compatibilityDate = "2026-10-20", bindings = [ ${bindings.join(", ")} ] ) ) ],
      sockets = [ ( name = "control", http = (), service = "all" ) ] );`;
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const address = `127.0.0.1:${port}`;
  const server = startWorkerd({ folder: work, config, sockets: { control: address }, externals: {} });
  try {
    await server.untilReady();
    const answers = await (await fetch(`http://${address}`)).json();
    expect(answers).toEqual(Object.fromEntries(names.map((name) => [name, "loaded"])));
  } finally {
    process.kill(-server.pid, "SIGKILL");
  }
});

describe("calls at the start", () => {
  const WORKER = `import { DurableObject as Base, env } from "cloudflare:workers";
    import { connect } from "cloudflare:sockets";
    import { one } from "./chunks/one.js";
    const two = () => one() + one();
    export class Counter extends Base { count() { return two(); } }
    export default { fetch: () => { for (let i = 0; i < 1000; i += 1) one(); return connect; } };`;

  async function countOf(code: string) {
    const built = join(work, "counted");
    mkdirSync(join(built, "chunks"), { recursive: true });
    writeFileSync(join(built, "chunks/one.js"), "export function one() { return 1; }");
    writeFileSync(join(built, ENTRY), code);
    return await runScript("scripts/calls-at-start.mjs", [join(built, ENTRY)]);
  }

  async function callsOf(code: string): Promise<number> {
    const { code: exit, output, stdout } = await countOf(code);
    expect(exit, output).toBe(0);
    return Number(stdout);
  }

  test("count each call in every chunk of the start, and none of a request", async () => {
    const idle = await callsOf(WORKER);
    expect(await callsOf(`${WORKER}\nfor (let i = 0; i < 7; i += 1) one();`)).toBe(idle + 7);
    expect(await callsOf(`${WORKER}\ntwo();`)).toBe(idle + 3);
  });

  test("of a build that does not load are an error, and no number", async () => {
    const { code, output, stdout } = await countOf("nothing();");
    expect(code).not.toBe(0);
    expect(output).toContain("nothing is not defined");
    expect(stdout).toBe("");
  });
});
