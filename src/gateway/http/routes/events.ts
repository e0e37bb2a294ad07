/** `/api/events`: the log, the ledger and the dead letters. Names and shapes. */
import { reply } from "../answers";
import { inputOf, perform } from "../perform";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

export const eventsRoutes = newRouter()
  .get("/", query(inputOf("events.list")), async (c) => {
    return reply(c, await perform(c, "events.list", null, c.req.valid("query")), { status: 200 });
  })
  .get("/dead-letters", query(inputOf("events.listDeadLetters")), async (c) => {
    return reply(c, await perform(c, "events.listDeadLetters", null, c.req.valid("query")), { status: 200 });
  })
  .post("/dead-letters/:id/replay", idParam, async (c) => {
    return reply(c, await perform(c, "events.replay", c.req.valid("param").id, null), { status: 202 });
  })
  .post("/dead-letters/:id/discard", idParam, body(inputOf("events.discard")), async (c) => {
    const outcome = await perform(c, "events.discard", c.req.valid("param").id, c.req.valid("json"));
    return reply(c, outcome, { status: 200 });
  })
  .post("/replay", body(inputOf("events.replayMany")), async (c) => {
    return reply(c, await perform(c, "events.replayMany", null, c.req.valid("json")), { status: 202 });
  })
  .get("/:id", idParam, async (c) => {
    return reply(c, await perform(c, "events.ledger", c.req.valid("param").id, null), { status: 200 });
  });
