/** The door of the events service. */
export {
  type DiscardInput,
  discardSchema,
  type ListDeadLettersQuery,
  type ListEventsQuery,
  listDeadLettersSchema,
  listEventsSchema,
  type ReplayInput,
  replaySchema,
} from "./schemas";
export { EventService, type ReplayReport } from "./service";
