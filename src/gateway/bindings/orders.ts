/** The orders service as other Workers call it. */
import type { Page } from "../../kernel/cursor";
import type { Outcome } from "../../kernel/errors";
import type { Order } from "../../services/orders";
import { type BindingCall, type CallOptions, type ListArguments, performFor, queryOf } from "./binding-call";

export const ordersBinding = {
  async place(call: BindingCall, input: unknown, options: CallOptions = {}): Promise<Outcome<Order>> {
    const { idempotencyKey } = options;
    return await performFor(call, "orders.place", { input, idempotencyKey });
  },

  async get(call: BindingCall, id: string): Promise<Outcome<Order>> {
    return await performFor(call, "orders.get", { id });
  },

  async list(call: BindingCall, query: ListArguments = {}): Promise<Outcome<Page<Order>>> {
    return await performFor(call, "orders.list", { input: queryOf(query) });
  },

  async changeStatus(
    call: BindingCall,
    id: string,
    status: string,
    options: CallOptions = {},
  ): Promise<Outcome<Order>> {
    const { expectedVersion, idempotencyKey } = options;
    const input = { status };
    return await performFor(call, "orders.changeStatus", { id, input, expectedVersion, idempotencyKey });
  },
};
