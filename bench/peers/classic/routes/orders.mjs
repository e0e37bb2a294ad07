/** `/api/products` and `/api/orders`. */
import { Router } from "express";
import {
  findOrder,
  findProduct,
  insertProduct,
  pageOfOrders,
  pageOfProducts,
  placeOrder,
} from "../order-store.mjs";
import { notFound, Problem } from "../problem.mjs";
import {
  bodyOf,
  createProduct,
  idOf,
  listOrders,
  listProducts,
  placeOrder as placeOrderInput,
  queryOf,
} from "../schemas.mjs";
import { actorOf, adminOf } from "../tokens.mjs";

/** @param {import("../services.mjs").Services} services */
export function productsRoutes(services) {
  const routes = Router();
  routes.get("/", async (req, res) => {
    res.json(await pageOfProducts(services, queryOf(req, listProducts)));
  });
  routes.get("/:id", async (req, res) => {
    const product = await findProduct(services, idOf(req));
    if (product === null) throw notFound();
    send(res, product);
  });
  routes.post("/", async (req, res) => {
    adminOf(req);
    const product = await insertProduct(services, bodyOf(req, createProduct));
    res.status(201).location(`/api/products/${product.id}`);
    send(res, product);
  });
  return routes;
}

/** @param {import("../services.mjs").Services} services */
export function ordersRoutes(services) {
  const routes = Router();
  routes.post("/", async (req, res) => {
    const { id } = actorOf(req);
    const order = await placeOrder(services, id, bodyOf(req, placeOrderInput).items);
    res.status(201).location(`/api/orders/${order.id}`);
    send(res, order);
  });
  routes.get("/", async (req, res) => {
    const actor = actorOf(req);
    const { userId = actor.id, ...page } = queryOf(req, listOrders);
    if (userId !== actor.id && actor.role !== "admin")
      throw new Problem("forbidden", "These are another's orders.");
    res.json(await pageOfOrders(services, userId, page));
  });
  routes.get("/:id", async (req, res) => {
    const actor = actorOf(req);
    const order = await findOrder(services, idOf(req));
    if (order === null || (order.userId !== actor.id && actor.role !== "admin")) throw notFound();
    send(res, order);
  });
  return routes;
}

function send(res, resource) {
  res.set("ETag", `"${resource.version}"`).json(resource);
}
