/** Events of the webhooks service. */

export const WEBHOOKS_SOURCE = "/meridian/webhooks";

/** Versions of `data`. */
export const webhookEvents = { "webhook.test": { version: 1 } } as const;
