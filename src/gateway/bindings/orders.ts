/** The orders service as other Workers call it. */

import type { Page } from "../../kernel/cursor";
import { expectVersion } from "../../kernel/entity-tag";
import type { Outcome } from "../../kernel/errors";
import {
  changeOrderStatusSchema,
  listOrdersSchema,
  type Order,
  placeOrderSchema,
} from "../../services/orders";
import { present, readId, readInput, readTarget } from "../input";
import { type BindingCall, type CallOptions, type ListArguments, once } from "./binding-call";

export const ordersBinding = {
  async place(call: BindingCall, given: unknown, options: CallOptions = {}): Promise<Outcome<Order>> {
    const input = readInput(placeOrderSchema, given);
    if (!input.ok) return input;
    const operation = { route: "orders.place", input: input.value, key: options.idempotencyKey };
    return await once<Order>(call, operation, (attempt) =>
      call.services.orders.place(call.actor, input.value, attempt),
    );
  },

  async get(call: BindingCall, id: string): Promise<Outcome<Order>> {
    const read = readId(id);
    return read.ok ? await call.services.orders.get(call.actor, read.value) : read;
  },

  async list(call: BindingCall, { limit, ...filters }: ListArguments = {}): Promise<Outcome<Page<Order>>> {
    const query = readInput(listOrdersSchema, present({ ...filters, limit: limit && String(limit) }));
    return query.ok ? await call.services.orders.list(call.actor, query.value) : query;
  },

  async changeStatus(
    call: BindingCall,
    id: string,
    status: string,
    options: CallOptions = {},
  ): Promise<Outcome<Order>> {
    const target = readTarget({ id, expectedVersion: options.expectedVersion });
    if (!target.ok) return target;
    const input = readInput(changeOrderStatusSchema, { status });
    if (!input.ok) return input;
    const precondition = expectVersion(target.value.expectedVersion);
    const change = { id: target.value.id, status: input.value.status, precondition };
    const operation = {
      route: "orders.changeStatus",
      input: { ...target.value, ...input.value },
      key: options.idempotencyKey,
    };
    return await once<Order>(call, operation, (attempt) =>
      call.services.orders.changeStatus(call.actor, change, attempt),
    );
  },
};
