/** Builds the webhooks service and its deliverer out of what they are given. */
import { lazily } from "../../kernel/lazily";
import type { ChangeTools } from "../../platform/change-plan";
import { resolveOverHttps } from "../../platform/dns";
import type { Config } from "../../platform/env";
import type { Keyset } from "../../platform/keyset";
import type { Vault } from "../../platform/vault";
import type { WebhookDeliverer } from "./deliverer";
import { WebhookService } from "./service";
import type { TargetPolicy } from "./target";

export interface WebhooksFoundation extends ChangeTools {
  readonly config: Config;
  readonly keyset: Keyset;
  readonly vault: Vault;
  /** Every event type of the catalogue. */
  readonly eventTypes: readonly string[];
}

export interface WebhookServices {
  readonly webhooks: WebhookService;
  /** Loads what delivers events to endpoints. Requests never need it, so it is not part of the start. */
  readonly loadDeliverer: () => Promise<WebhookDeliverer>;
}

/** Returns the webhooks service and its deliverer. Each of them is made when it is first used. */
export const webhookServices = lazily<{ on: WebhooksFoundation }, WebhookServices>({
  webhooks: ({ on }) => {
    const { database, outbox, audit, keyset, vault, scope, eventTypes: knownTypes } = on;
    const target = targetPolicyOf(on.config);
    return new WebhookService({ database, outbox, audit, keyset, vault, scope, target, knownTypes });
  },
  loadDeliverer:
    ({ on: { database, vault, scope, config } }) =>
    async () => {
      const { WebhookDeliverer } = await import("./deliverer");
      return new WebhookDeliverer({
        ...{ database, vault, scope },
        target: targetPolicyOf(config),
        backoffSeconds: config.WEBHOOK_BACKOFF_SECONDS,
      });
    },
});

function targetPolicyOf(config: Config): TargetPolicy {
  return {
    allowLocal: config.WEBHOOK_ALLOW_LOCAL,
    publicUrl: config.PUBLIC_URL,
    deniedDomains: config.WEBHOOK_DENIED_DOMAINS,
    resolve: resolveOverHttps,
  };
}
