/** `/api/webhooks`: endpoints of those without a Worker. */

import {
  createWebhookSchema,
  listWebhooksSchema,
  patchWebhookSchema,
  type Webhook,
  type WebhookWithSecret,
} from "../../../services/webhooks";
import { once } from "../once";
import { answer } from "../problem";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

const located = ({ id }: WebhookWithSecret) => ({ Location: `/api/webhooks/${id}` });

export const webhooksRoutes = newRouter()
  .post("/", body(createWebhookSchema), async (c) => {
    const { actor, services } = c.var;
    return await once(c, { status: 201, headers: located }, (attempt) =>
      services.webhooks.create(actor, c.req.valid("json"), attempt),
    );
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
    const { actor, services } = c.var;
    const { id } = c.req.valid("param");
    return await once<Webhook>(c, { status: 200 }, (attempt) =>
      services.webhooks.patch(actor, id, c.req.valid("json"), attempt),
    );
  })
  .delete("/:id", idParam, async (c) => {
    const { actor, services } = c.var;
    return await once<null>(c, { status: 204 }, (attempt) =>
      services.webhooks.remove(actor, c.req.valid("param").id, attempt),
    );
  })
  .post("/:id/rotate-secret", idParam, async (c) => {
    const { actor, services } = c.var;
    return await once<WebhookWithSecret>(c, { status: 200 }, (attempt) =>
      services.webhooks.rotateSecret(actor, c.req.valid("param").id, attempt),
    );
  })
  .post("/:id/test", idParam, async (c) => {
    const { actor, services } = c.var;
    return await once<{ readonly eventId: string }>(c, { status: 202 }, (attempt) =>
      services.webhooks.sendTest(actor, c.req.valid("param").id, attempt),
    );
  })
  .get("/:id/deliveries", idParam, query(listWebhooksSchema), async (c) => {
    const { id } = c.req.valid("param");
    const outcome = await c.var.services.webhooks.deliveries(c.var.actor, id, c.req.valid("query"));
    return answer(c, outcome, (page) => c.json(page));
  });
