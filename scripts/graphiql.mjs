/** Bundles GraphiQL into public/graphiql/, so that the page at /graphql loads nothing from elsewhere. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "./tools.mjs";

const FOLDER = join(ROOT, "public/graphiql");
const STAMP = join(FOLDER, "version.txt");

/** Raise it with every change to `PAGE` or to how it is built. */
const REVISION = 1;

const PAGE = `
  import { createElement } from "react";
  import { createRoot } from "react-dom/client";
  import { GraphiQL } from "graphiql";
  import { createGraphiQLFetcher } from "@graphiql/toolkit";
  import "graphiql/graphiql.css";
  const fetcher = createGraphiQLFetcher({ url: "/graphql" });
  const explorer = createElement(GraphiQL, { fetcher, shouldPersistHeaders: false });
  createRoot(document.getElementById("graphiql")).render(explorer);
`;

/** Bundles GraphiQL when what is there is of another version. */
export async function ensureGraphiql() {
  const { version } = JSON.parse(readFileSync(join(ROOT, "node_modules/graphiql/package.json"), "utf8"));
  const stamp = `${version} ${REVISION}\n`;
  if (readText(STAMP) === stamp) return;
  mkdirSync(FOLDER, { recursive: true });
  await build({
    stdin: { contents: PAGE, resolveDir: ROOT, sourcefile: "graphiql.js" },
    bundle: true,
    minify: true,
    format: "esm",
    outfile: join(FOLDER, "graphiql.js"),
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  writeFileSync(
    join(FOLDER, "graphiql.css"),
    `${readText(join(FOLDER, "graphiql.css"))}\n#graphiql{height:100dvh}body{margin:0}`,
  );
  writeFileSync(STAMP, stamp);
}

function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
