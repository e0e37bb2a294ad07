/**
 * Where routes are registered: Hono with the one of its routers that takes all of ours. Its usual choice brings a second
 * one, and at the first request finds out that it must do without it.
 */
import { TrieRouter } from "hono/router/trie-router";
import { Hono } from "hono/tiny";
import type { GatewayEnv } from "../request-context";

export function newRouter(): Hono<GatewayEnv> {
  const router = new Hono<GatewayEnv>();
  router.router = new TrieRouter();
  return router;
}
