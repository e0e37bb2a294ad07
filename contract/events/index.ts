/** What the `data` of every event type is: for the documents, the tests and the types. The running Worker has no need of it. */

import type { EventType } from "../../src/jobs/event-catalogue";
import type { CloudEvent } from "../../src/kernel/event";
import type * as z from "../../src/kernel/schema";
import { authEventContracts } from "../../src/services/auth";
import { orderEventContracts } from "../../src/services/orders";
import { userEventContracts } from "../../src/services/users";
import { webhookEventContracts } from "../../src/services/webhooks";

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
