/** What administrators do to a client's object. Not on the way of any request. */
import type { Calls } from "../observability/calls";
import type { ClientKey } from "./client-key";
import type { LimiterReport, QuotaOverride } from "./client-limiter";
import { objectUnavailable, SILENT, type Sleep, sendUntilSilent } from "./silence";

/** `ClientLimiter` by RPC. */
export interface AdministeredObject {
  report(): Promise<LimiterReport>;
  setOverride(override: QuotaOverride | null): Promise<void>;
  reset(): Promise<void>;
}

interface Context {
  readonly objectOf: (name: string) => AdministeredObject;
  readonly sleep: Sleep;
  readonly calls: Calls;
}

/** Each method is one object call and may be repeated. **Errors**: `unavailable` when the object failed or was silent. */
export class LimiterAdmin {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async report(client: ClientKey): Promise<LimiterReport> {
    return await this.#callObject(client, (object) => object.report());
  }

  /** Numbers in place of the policy's, or null for the policy's again. In force from the client's next lease. */
  async setOverride(
    client: ClientKey,
    to: { readonly limit: number; readonly windowSeconds: number; readonly isShadow: boolean } | null,
  ): Promise<void> {
    const override = to && { limit: to.limit, windowMs: to.windowSeconds * 1000, isShadow: to.isShadow };
    await this.#callObject(client, (object) => object.setOverride(override));
  }

  /** Forgets what was admitted, never what was revoked. */
  async reset(client: ClientKey): Promise<void> {
    await this.#callObject(client, (object) => object.reset());
  }

  async #callObject<T>(client: ClientKey, call: (object: AdministeredObject) => Promise<T>): Promise<T> {
    const { objectOf, sleep, calls } = this.#context;
    const send = () => {
      calls.objectCalls += 1;
      return call(objectOf(client));
    };
    const answer = await sendUntilSilent(send, sleep).catch((cause: unknown) => {
      throw objectUnavailable("a client's object failed", cause);
    });
    if (answer === SILENT) throw objectUnavailable("a client's object did not answer");
    return answer;
  }
}
