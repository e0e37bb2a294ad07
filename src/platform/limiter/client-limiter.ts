import { DurableObject } from "cloudflare:workers";

/** One object a client. */
export class ClientLimiter extends DurableObject<Env> {}
