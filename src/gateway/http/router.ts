/**
 * Where routes are registered: Hono with the one of its routers that takes all of ours. Its usual choice brings a second
 * one, and at the first request finds out that it must do without it.
 */
import { HonoBase } from "hono/hono-base";
import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";
import type { GatewayEnv } from "../request-context";

export function newRouter() {
  return new HonoBase<GatewayEnv>({ router: new RememberingRouter() });
}

/** Past it everything is forgotten: 1 MB at most. */
export const MATCHES_MAX = 500;
/** A longer path is none of ours. */
const PATH_LENGTH_MAX = 200;

/** A client asks for the same few paths, and walking the tree for one makes two kilobytes of garbage. */
export class RememberingRouter<T> implements Router<T> {
  readonly name = "RememberingRouter";
  readonly #router = new TrieRouter<T>();
  readonly #matches = new Map<string, Result<T>>();

  add(method: string, path: string, handler: T): void {
    this.#router.add(method, path, handler);
    this.#matches.clear();
  }

  /** Shared by requests: Hono only reads it. */
  match(method: string, path: string): Result<T> {
    const key = `${method} ${path}`;
    const known = this.#matches.get(key);
    if (known !== undefined) return known;
    const found = this.#router.match(method, path);
    if (path.length > PATH_LENGTH_MAX) return found;
    if (this.#matches.size >= MATCHES_MAX) this.#matches.clear();
    this.#matches.set(key, found);
    return found;
  }
}
