/** `/api/orders`: contract and handlers. */

import { entityTag } from "../../../kernel/entity-tag";
import {
  changeOrderStatusSchema,
  listOrdersSchema,
  type Order,
  placeOrderSchema,
} from "../../../services/orders";
import { conditional, pageResponse } from "../answers";
import { once } from "../once";
import { preconditionOf } from "../precondition";
import { answer } from "../problem";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

const etag = ({ version }: Order) => ({ ETag: entityTag(version) });
const located = (order: Order) => ({ Location: `/api/orders/${order.id}`, ...etag(order) });

export const ordersRoutes = newRouter()
  .post("/", body(placeOrderSchema), async (c) => {
    const { actor, services } = c.var;
    return await once(c, { status: 201, headers: located }, (attempt) =>
      services.orders.place(actor, c.req.valid("json"), attempt),
    );
  })
  .get("/", query(listOrdersSchema), async (c) => {
    const { actor, services } = c.var;
    return answer(c, await services.orders.list(actor, c.req.valid("query")), (page) =>
      pageResponse(c, page),
    );
  })
  .get("/:id", idParam, async (c) => {
    return conditional(c, await c.var.services.orders.get(c.var.actor, c.req.valid("param").id));
  })
  .get("/:id/history", idParam, async (c) => {
    const outcome = await c.var.services.orders.history(c.var.actor, c.req.valid("param").id);
    return answer(c, outcome, (page) => c.json(page));
  })
  .patch("/:id", idParam, body(changeOrderStatusSchema), async (c) => {
    const { actor, services } = c.var;
    const change = { ...c.req.valid("param"), ...c.req.valid("json"), precondition: preconditionOf(c) };
    return await once(c, { status: 200, headers: etag }, (attempt) =>
      services.orders.changeStatus(actor, change, attempt),
    );
  });
