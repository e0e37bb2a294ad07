/**
 * Every event type with its schema and version: what consumers, webhooks and other teams can rely on. Fields are added
 * within a version, never renamed or removed; what breaks a reader gets a new version.
 */
import * as z from "zod";
import type { CloudEvent } from "../kernel/event";
import { authEvents } from "../services/auth";
import { orderEvents } from "../services/orders";
import { userEvents } from "../services/users";
import { webhookEvents } from "../services/webhooks";

interface CatalogueEntry {
  readonly version: number;
  readonly data: z.ZodType;
  /** One sentence for a reader. */
  readonly summary: string;
}

export const EVENT_CATALOGUE = {
  ...userEvents,
  ...authEvents,
  ...orderEvents,
  ...webhookEvents,
} as const satisfies Record<string, CatalogueEntry>;

export type EventType = keyof typeof EVENT_CATALOGUE;

export const EVENT_TYPES = Object.keys(EVENT_CATALOGUE) as readonly EventType[];

/** The event of a type, as a consumer receives it. */
export type EventOf<Type extends EventType> = CloudEvent<z.infer<(typeof EVENT_CATALOGUE)[Type]["data"]>> & {
  readonly type: Type;
};

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENT_CATALOGUE, type);
}

/** JSON Schema (2020-12) of the `data` of a type in a version; null for one that is not in the catalogue. */
export function dataSchemaOf(type: string, version: number): object | null {
  if (!isEventType(type) || EVENT_CATALOGUE[type].version !== version) return null;
  // A reader must let fields pass that it does not know, for a version may gain some.
  const { additionalProperties: _, ...schema } = z.toJSONSchema(EVENT_CATALOGUE[type].data);
  return schema;
}
