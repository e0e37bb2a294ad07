/** `/api/webhooks`: endpoints of those without a Worker. */
import { Hono } from "hono";
import { createWebhookSchema, listWebhooksSchema, patchWebhookSchema } from "../../../services/webhooks";
import type { GatewayEnv } from "../../request-context";
import { answer } from "../problem";
import { body, idParam, query } from "../validate";

export const webhooksRoutes = new Hono<GatewayEnv>()
  .post("/", body(createWebhookSchema), async (c) => {
    const outcome = await c.var.services.webhooks.create(c.var.actor, c.req.valid("json"));
    return answer(c, outcome, (webhook) => {
      c.header("Location", `/api/webhooks/${webhook.id}`);
      return c.json(webhook, 201);
    });
  })
  .get("/", query(listWebhooksSchema), async (c) => {
    const outcome = await c.var.services.webhooks.list(c.var.actor, c.req.valid("query"));
    return answer(c, outcome, (page) => c.json(page));
  })
  .get("/:id", idParam, async (c) => {
    const outcome = await c.var.services.webhooks.get(c.var.actor, c.req.valid("param").id);
    return answer(c, outcome, (webhook) => c.json(webhook));
  })
  .patch("/:id", idParam, body(patchWebhookSchema), async (c) => {
    const { id } = c.req.valid("param");
    const outcome = await c.var.services.webhooks.patch(c.var.actor, id, c.req.valid("json"));
    return answer(c, outcome, (webhook) => c.json(webhook));
  })
  .delete("/:id", idParam, async (c) => {
    const outcome = await c.var.services.webhooks.remove(c.var.actor, c.req.valid("param").id);
    return answer(c, outcome, () => c.body(null, 204));
  })
  .post("/:id/rotate-secret", idParam, async (c) => {
    const outcome = await c.var.services.webhooks.rotateSecret(c.var.actor, c.req.valid("param").id);
    return answer(c, outcome, (webhook) => c.json(webhook));
  })
  .post("/:id/test", idParam, async (c) => {
    const outcome = await c.var.services.webhooks.sendTest(c.var.actor, c.req.valid("param").id);
    return answer(c, outcome, (sent) => c.json(sent, 202));
  })
  .get("/:id/deliveries", idParam, query(listWebhooksSchema), async (c) => {
    const { id } = c.req.valid("param");
    const outcome = await c.var.services.webhooks.deliveries(c.var.actor, id, c.req.valid("query"));
    return answer(c, outcome, (page) => c.json(page));
  });
