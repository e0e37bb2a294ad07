/** The door of the outbox. */
export type {
  Consumer,
  DeliveryContext,
  DeliveryMessage,
  Effect,
  ExternalConsumer,
  RetryPolicy,
  TransactionalConsumer,
} from "./consumer";
export { Dispatcher, type DispatcherOptions } from "./dispatcher";
export { Outbox, type OutboxOptions, type RecordedEvent } from "./outbox";
export type { SweepReport } from "./relay";
