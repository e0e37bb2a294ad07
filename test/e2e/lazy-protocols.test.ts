import { build } from "esbuild";
import { expect, test } from "vitest";

/** Every module that is evaluated when the Worker starts: reached from its entry without a dynamic import. */
async function modulesAtStart(): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: ["src/worker.ts"],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    conditions: ["worker", "browser"],
    mainFields: ["browser", "module", "main"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "error",
  });
  const reached = new Set<string>();
  const open = ["src/worker.ts"];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { path: next, kind } of metafile.inputs[path]?.imports ?? [])
      if (kind !== "dynamic-import") open.push(next);
  }
  return [...reached];
}

test("REST pays nothing for GraphQL and RPC at start-up: their libraries are not loaded then", async () => {
  const modules = await modulesAtStart();
  expect(modules.some((path) => path.includes("node_modules/hono/"))).toBe(true);
  const early = modules.filter((path) =>
    /node_modules\/(?:graphql|graphql-http|@pothos|dataloader|@connectrpc|@bufbuild)\//.test(path),
  );
  expect(early).toEqual([]);
});
