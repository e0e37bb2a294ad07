/**
 * Every event type with its version: what consumers, webhooks and other teams can rely on. Fields are added within a
 * version, never renamed or removed; what breaks a reader gets a new version. `event-contracts` says what `data` is.
 */

import { authEvents } from "../services/auth";
import { orderEvents } from "../services/orders";
import { userEvents } from "../services/users";
import { webhookEvents } from "../services/webhooks";
// Written by `npm run events:doc`: what makes a JSON Schema out of zod's is not in the Worker.
import EVENT_SCHEMAS from "./event-schemas.json";

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

/** JSON Schema (2020-12) of the `data` of a type in a version; null for one that is not in the catalogue. */
export function dataSchemaOf(type: string, version: number): object | null {
  if (!isEventType(type) || EVENT_CATALOGUE[type].version !== version) return null;
  return EVENT_SCHEMAS[type];
}
