/** The door of the outbox. */

export { BACKLOG_ROWS_MAX, type Backlog, consumerKindOf, oldestDueMs, readBacklog } from "./backlog";
export type {
  Consumer,
  DeliveryContext,
  DeliveryMessage,
  Effect,
  ExternalConsumer,
  RetryPolicy,
  TransactionalConsumer,
} from "./consumer";
export {
  type DeadLetterFilter,
  DeadLetters,
  type Resolution,
  toDeadLetter,
} from "./dead-letters";
export { type AttemptReport, Dispatcher, type DispatcherOptions } from "./dispatcher";
export { EventLog, type EventQuery } from "./event-log";
export type { CommittedEvent, OutboxOptions } from "./options";
export { Outbox, type RecordedEvent } from "./outbox";
export type { SweepReport } from "./relay";
export {
  DEAD_LETTER_STATES,
  type DeadLetter,
  deadLetterSchema,
  type EventLedger,
  eventLedgerSchema,
} from "./schemas";
export { Subscriptions } from "./subscriptions";
