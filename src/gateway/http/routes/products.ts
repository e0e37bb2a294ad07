/** `/api/products`: contract and handlers. */

import { entityTag } from "../../../kernel/entity-tag";
import {
  createProductSchema,
  listProductsSchema,
  type Product,
  patchProductSchema,
} from "../../../services/orders";
import { conditional, pageResponse } from "../answers";
import { once } from "../once";
import { preconditionOf } from "../precondition";
import { answer } from "../problem";
import { newRouter } from "../router";
import { body, idParam, query } from "../validate";

const etag = ({ version }: Product) => ({ ETag: entityTag(version) });
const located = (product: Product) => ({ Location: `/api/products/${product.id}`, ...etag(product) });

export const productsRoutes = newRouter()
  .post("/", body(createProductSchema), async (c) => {
    const { actor, services } = c.var;
    return await once(c, { status: 201, headers: located }, (attempt) =>
      services.products.create(actor, c.req.valid("json"), attempt),
    );
  })
  .get("/", query(listProductsSchema), async (c) => {
    return answer(c, await c.var.services.products.list(c.req.valid("query")), (page) =>
      pageResponse(c, page),
    );
  })
  .get("/:id", idParam, async (c) => {
    return conditional(c, await c.var.services.products.get(c.req.valid("param").id));
  })
  .patch("/:id", idParam, body(patchProductSchema), async (c) => {
    const { actor, services } = c.var;
    const change = { ...c.req.valid("param"), patch: c.req.valid("json"), precondition: preconditionOf(c) };
    return await once(c, { status: 200, headers: etag }, (attempt) =>
      services.products.patch(actor, change, attempt),
    );
  })
  .delete("/:id", idParam, async (c) => {
    const { actor, services } = c.var;
    const target = { ...c.req.valid("param"), precondition: preconditionOf(c) };
    return await once<null>(c, { status: 204 }, (attempt) =>
      services.products.delete(actor, target, attempt),
    );
  });
