/**
 * Every event type with its version: what consumers, webhooks and other teams can rely on. Fields are added within a
 * version, never renamed or removed; what breaks a reader gets a new version. `contract/events` says what `data` is.
 */

import { authEvents } from "../services/auth";
import { orderEvents } from "../services/orders";
import { userEvents } from "../services/users";
import { webhookEvents } from "../services/webhooks";

export const EVENT_CATALOGUE = {
  ...userEvents,
  ...authEvents,
  ...orderEvents,
  ...webhookEvents,
} as const satisfies Record<string, { readonly version: number }>;

export type EventType = keyof typeof EVENT_CATALOGUE;

export const EVENT_TYPES = Object.keys(EVENT_CATALOGUE) as readonly EventType[];

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENT_CATALOGUE, type);
}
