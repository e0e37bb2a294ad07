/** What the gateway must know of a protocol beside REST before it runs any of it. */
import type { Context } from "hono";
import type { RenderRefusal } from "./refusal-rendering";
import type { GatewayEnv } from "./request-context";

export interface Protocol {
  /** The path that it answers at. */
  readonly path: string;
  /** Whether every body is JSON; if not, the protocol tells its codecs apart itself. */
  readonly isJsonOnly: boolean;
  /** How the gateway refuses on these paths, before any handler. Cheap: nothing of the protocol's library is loaded. */
  readonly renderRefusal: RenderRefusal;
  /** Loads the protocol's library at its first call in an isolate. */
  readonly answer: (c: Context<GatewayEnv>) => Promise<Response>;
}
