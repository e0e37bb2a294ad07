/** `/api/events` in the document. */
import { listDeadLettersSchema, listEventsSchema } from "../../../src/services/operations/events";
import type { Operation } from "../operation";

const tag = "Events";
const path = "/api/events";

export const eventOperations: readonly Operation[] = [
  {
    id: "listEvents",
    method: "get",
    path,
    tag,
    summary: "Read the event log",
    description:
      "In order of commit. Pass `nextCursor`, or the `sequence` of the last event seen, as `after`.",
    access: "events",
    query: listEventsSchema(),
    answers: [
      { status: 200, description: "A page of events.", schema: "Event", isPage: true, example: "event" },
    ],
  },
  {
    id: "getEvent",
    method: "get",
    path: `${path}/{id}`,
    tag,
    summary: "Show an event and its deliveries",
    access: "events",
    answers: [{ status: 200, description: "The ledger.", schema: "EventLedger", example: "eventLedger" }],
  },
  {
    id: "listDeadLetters",
    method: "get",
    path: `${path}/dead-letters`,
    tag,
    summary: "List dead letters",
    access: "admin",
    query: listDeadLettersSchema(),
    answers: [
      {
        status: 200,
        description: "A page of dead letters, oldest first.",
        schema: "DeadLetter",
        isPage: true,
        example: "deadLetter",
      },
    ],
  },
  {
    id: "replayDeadLetter",
    method: "post",
    path: `${path}/dead-letters/{id}/replay`,
    tag,
    summary: "Deliver a dead letter again",
    access: "admin",
    answers: [
      {
        status: 202,
        description: "It has fresh attempts.",
        schema: "DeadLetter",
        example: "replayedLetter",
      },
    ],
    errors: ["invalid_transition"],
    isKeyed: true,
  },
  {
    id: "discardDeadLetter",
    method: "post",
    path: `${path}/dead-letters/{id}/discard`,
    tag,
    summary: "Give a dead letter up",
    access: "admin",
    body: { schema: "DiscardInput", example: "discard" },
    answers: [
      { status: 200, description: "It stays dead.", schema: "DeadLetter", example: "discardedLetter" },
    ],
    errors: ["invalid_transition"],
    isKeyed: true,
  },
  {
    id: "replayDeadLetters",
    method: "post",
    path: `${path}/replay`,
    tag,
    summary: "Deliver all dead letters that match again",
    description: "1000 a call. Without a member in the body, all.",
    access: "admin",
    body: { schema: "ReplayInput", example: "replay" },
    answers: [{ status: 202, description: "How many.", schema: "ReplayReport", example: "replayReport" }],
    isKeyed: true,
  },
];
