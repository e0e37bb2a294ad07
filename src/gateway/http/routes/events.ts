/** `/api/events`: the log, the ledger and the dead letters. */

import type { DeadLetter } from "../../../platform/outbox";
import {
  discardSchema,
  listDeadLettersSchema,
  listEventsSchema,
  type ReplayReport,
  replaySchema,
} from "../../../services/operations/events";
import { once } from "../once";
import { answer } from "../problem";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

export const eventsRoutes = newRouter()
  .get("/", query(listEventsSchema), async (c) => {
    const outcome = await c.var.services.events.list(c.var.actor, c.req.valid("query"));
    return answer(c, outcome, (page) => c.json(page));
  })
  .get("/dead-letters", query(listDeadLettersSchema), async (c) => {
    const outcome = await c.var.services.events.listDeadLetters(c.var.actor, c.req.valid("query"));
    return answer(c, outcome, (page) => c.json(page));
  })
  .post("/dead-letters/:id/replay", idParam, async (c) => {
    const { actor, services } = c.var;
    return await once<DeadLetter>(c, { status: 202 }, (attempt) =>
      services.events.replay(actor, c.req.valid("param").id, attempt),
    );
  })
  .post("/dead-letters/:id/discard", idParam, body(discardSchema), async (c) => {
    const { actor, services } = c.var;
    const { id } = c.req.valid("param");
    return await once<DeadLetter>(c, { status: 200 }, (attempt) =>
      services.events.discard(actor, id, c.req.valid("json"), attempt),
    );
  })
  .post("/replay", body(replaySchema), async (c) => {
    const { actor, services } = c.var;
    return await once<ReplayReport>(c, { status: 202 }, (attempt) =>
      services.events.replayMany(actor, c.req.valid("json"), attempt),
    );
  })
  .get("/:id", idParam, async (c) => {
    const outcome = await c.var.services.events.ledger(c.var.actor, c.req.valid("param").id);
    return answer(c, outcome, (ledger) => c.json(ledger));
  });
