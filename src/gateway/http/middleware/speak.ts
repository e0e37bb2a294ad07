/** From here on the gateway refuses in the protocol of the path. */
import { createMiddleware } from "hono/factory";
import type { Protocol } from "../../protocol";
import type { GatewayEnv } from "../../request-context";

export function speak({ renderRefusal }: Pick<Protocol, "renderRefusal">) {
  return createMiddleware<GatewayEnv>(async (c, next) => {
    c.set("renderRefusal", renderRefusal);
    await next();
  });
}
