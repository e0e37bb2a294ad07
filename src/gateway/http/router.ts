/**
 * Where routes are registered: Hono with the one of its routers that takes all of ours. Its usual choice brings a second
 * one, and at the first request finds out that it must do without it.
 */
import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import type { GatewayEnv } from "../request-context";

export function newRouter() {
  return new HonoBase<GatewayEnv>({ router: new TrieRouter() });
}
