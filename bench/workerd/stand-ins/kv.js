/**
 * A KV namespace in memory, speaking the binding's protocol: `GET`, `PUT` and `DELETE /<key>?urlencoded=true`.
 *
 * A key that was read here within its `cacheTtl` is hot, any other cold, as in a location of the platform, which refreshes
 * in the background what is read often: a write does not warm the reader, and what is absent is remembered as well.
 * Source: developers.cloudflare.com/kv/concepts/how-kv-works
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { delaysOf } from "./delay.js";

const CACHE_TTL_SECONDS = 60;

/** @type {Map<string, {body: ArrayBuffer, expiresAt: number}>} */
const entries = new Map();
/** Until when a key is hot. */
const hotUntil = new Map();
const counts = { kvReads: 0, kvWrites: 0, kvDeletes: 0 };
let delay;

export default {
  async fetch(request, env) {
    delay ??= delaysOf(env.DELAYS, env.SEED);
    const url = new URL(request.url);
    const key = decodeURIComponent(url.pathname.slice(1));
    switch (request.method) {
      case "GET":
        return await read(key, Number(url.searchParams.get("cache_ttl") ?? CACHE_TTL_SECONDS));
      case "PUT":
        return await write(key, request, url.searchParams.get("expiration_ttl"));
      case "DELETE":
        counts.kvDeletes += 1;
        await delay("kvWrite");
        entries.delete(key);
        return new Response();
      default:
        return new Response(null, { status: 405 });
    }
  },
};

async function read(key, cacheTtl) {
  counts.kvReads += 1;
  const now = Date.now();
  const isHot = now < (hotUntil.get(key) ?? 0);
  hotUntil.set(key, now + cacheTtl * 1_000);
  await delay(isHot ? "kvHot" : "kvCold");
  const entry = entries.get(key);
  if (entry === undefined || entry.expiresAt <= now) return new Response("Not Found", { status: 404 });
  return new Response(entry.body);
}

async function write(key, request, expirationTtl) {
  counts.kvWrites += 1;
  const body = await request.arrayBuffer();
  await delay("kvWrite");
  const expiresAt =
    expirationTtl === null ? Number.POSITIVE_INFINITY : Date.now() + Number(expirationTtl) * 1_000;
  entries.set(key, { body, expiresAt });
  return new Response();
}

export class Control extends WorkerEntrypoint {
  counts() {
    return counts;
  }

  clear() {
    entries.clear();
    hotUntil.clear();
  }
}
