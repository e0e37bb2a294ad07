/** The users service as other Workers call it. */
import type { Page } from "../../kernel/cursor";
import type { Outcome } from "../../kernel/errors";
import type { User } from "../../services/users";
import { type BindingCall, type CallOptions, type ListArguments, performFor, queryOf } from "./binding-call";

export const usersBinding = {
  async get(call: BindingCall, id: string): Promise<Outcome<User>> {
    return await performFor(call, "users.get", { id });
  },

  async create(call: BindingCall, input: unknown, options: CallOptions = {}): Promise<Outcome<User>> {
    const { idempotencyKey } = options;
    return await performFor(call, "users.signUp", { input, idempotencyKey });
  },

  async update(
    call: BindingCall,
    id: string,
    input: unknown,
    options: CallOptions = {},
  ): Promise<Outcome<User>> {
    const { expectedVersion, idempotencyKey } = options;
    return await performFor(call, "users.patch", { id, input, expectedVersion, idempotencyKey });
  },

  async delete(call: BindingCall, id: string, options: CallOptions = {}): Promise<Outcome<null>> {
    const { expectedVersion, idempotencyKey } = options;
    return await performFor(call, "users.delete", { id, expectedVersion, idempotencyKey });
  },

  async list(call: BindingCall, query: ListArguments = {}): Promise<Outcome<Page<User>>> {
    return await performFor(call, "users.list", { input: queryOf(query) });
  },
};
