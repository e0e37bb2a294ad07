/** The door of the outbox. */

export { type Backlog, consumerKindOf, oldestDueMs, readBacklog } from "./backlog";
export type {
  Consumer,
  DeliveryMessage,
  Effect,
  ExternalConsumer,
  RetryPolicy,
  TransactionalConsumer,
} from "./consumer";
export { DeadLetters, LETTERS, type Resolution, toDeadLetter } from "./dead-letters";
export { type AttemptReport, Dispatcher } from "./dispatcher";
export { EventLog } from "./event-log";
export type { CommittedEvent } from "./options";
export { Outbox } from "./outbox";
export {
  DEAD_LETTER_STATES,
  type DeadLetter,
  deadLetterSchema,
  type EventLedger,
  eventLedgerSchema,
} from "./schemas";
export { Subscriptions } from "./subscriptions";
