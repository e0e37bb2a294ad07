/** What the `data` of every event type is: for the documents, the tests and the types. The running Worker has no need of it. */

import type { EventType } from "../jobs/event-catalogue";
import type { CloudEvent } from "../kernel/event";
import type * as z from "../kernel/schema";
import { authEventContracts } from "../services/auth";
import { orderEventContracts } from "../services/orders";
import { userEventContracts } from "../services/users";
import { webhookEventContracts } from "../services/webhooks";

interface EventContract {
  readonly data: z.ZodMiniType;
  /** One sentence for a reader. */
  readonly summary: string;
}

export const EVENT_CONTRACTS = {
  ...userEventContracts,
  ...authEventContracts,
  ...orderEventContracts,
  ...webhookEventContracts,
} as const satisfies Record<EventType, EventContract>;

/** The event of a type, as a consumer receives it. */
export type EventOf<Type extends EventType> = CloudEvent<z.infer<(typeof EVENT_CONTRACTS)[Type]["data"]>> & {
  readonly type: Type;
};
