/** `/.well-known`: the public keys, for whoever verifies our tokens. */

import { newRouter } from "../router";

/** `npm run keys -- rotate` publishes a key one rotation before it signs, so every cache knows it by then. */
const CACHE_SECONDS = 300;

/** Source: RFC 7517, section 5. */
export const keysRoutes = newRouter().get("/jwks.json", (c) => {
  c.header("Cache-Control", `public, max-age=${CACHE_SECONDS}`);
  return c.json(c.var.services.keySet.published());
});
