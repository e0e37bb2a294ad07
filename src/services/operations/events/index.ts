/** The door of the events service. */
export {
  type DiscardInput,
  discardSchema,
  type ListDeadLettersQuery,
  type ListEventsQuery,
  listDeadLettersSchema,
  listEventsSchema,
  type ReplayInput,
  type ReplayReport,
  replayReportSchema,
  replaySchema,
} from "./schemas";
export { EventService } from "./service";
