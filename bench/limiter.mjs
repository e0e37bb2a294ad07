/**
 * Measures the limiter on plain workerd: `npx node bench/limiter.mjs`. Prints grants a second of one object, alone and
 * side by side, and decisions a second of the isolate's memory. Asserts nothing: figures depend on the machine.
 */
import { build, serve } from "./workerd/serve.mjs";

const server = await serve({ built: await build("bench/limiter/wrangler.toml") });
try {
  await fetch(`${server.url}/decisions?count=200000`);
  await measure("decisions, from the isolate's memory", "/decisions?count=2000000", 2_000_000);
  await fetch(`${server.url}/grants?count=200`);
  await measure("grants, one after the other", "/grants?count=2000&key=user:a", 2_000);
  await measure("grants, 32 side by side", "/grants?count=6400&side=32&key=user:b", 6_400);
} finally {
  server.stop();
}

async function measure(what, path, count) {
  const start = process.hrtime.bigint();
  const answer = await fetch(server.url + path);
  const text = await answer.text();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const isWhole = answer.ok && Number(text) === count;
  console.log(
    `${what}: ${Math.round(count / seconds).toLocaleString("en")} a second${isWhole ? "" : ` (${answer.status} ${text})`}`,
  );
}
