/** The users service as other Workers call it. */

import type { Page } from "../../kernel/cursor";
import { expectVersion } from "../../kernel/entity-tag";
import type { Outcome } from "../../kernel/errors";
import { listUsersSchema, patchUserSchema, signUpSchema, type User } from "../../services/users";
import { present, readId, readInput, readTarget } from "../input";
import { type BindingCall, type CallOptions, type ListArguments, once } from "./binding-call";

export const usersBinding = {
  async get(call: BindingCall, id: string): Promise<Outcome<User>> {
    const read = readId(id);
    return read.ok ? await call.services.users.get(call.actor, read.value) : read;
  },

  async create(call: BindingCall, given: unknown, options: CallOptions = {}): Promise<Outcome<User>> {
    const input = readInput(signUpSchema, given);
    if (!input.ok) return input;
    const operation = { route: "users.create", input: input.value, key: options.idempotencyKey };
    return await once<User>(call, operation, (attempt) => call.services.users.signUp(input.value, attempt));
  },

  async update(
    call: BindingCall,
    id: string,
    given: unknown,
    options: CallOptions = {},
  ): Promise<Outcome<User>> {
    const target = readTarget({ id, expectedVersion: options.expectedVersion });
    if (!target.ok) return target;
    const patch = readInput(patchUserSchema, given);
    if (!patch.ok) return patch;
    const { id: userId, expectedVersion } = target.value;
    const input = { ...target.value, patch: patch.value };
    return await once<User>(call, { route: "users.update", input, key: options.idempotencyKey }, (attempt) =>
      call.services.users.patch(call.actor, userId, patch.value, expectVersion(expectedVersion), attempt),
    );
  },

  async delete(call: BindingCall, id: string, options: CallOptions = {}): Promise<Outcome<null>> {
    const target = readTarget({ id, expectedVersion: options.expectedVersion });
    if (!target.ok) return target;
    const { id: userId, expectedVersion } = target.value;
    const operation = { route: "users.delete", input: target.value, key: options.idempotencyKey };
    return await once<null>(call, operation, (attempt) =>
      call.services.users.delete(call.actor, userId, expectVersion(expectedVersion), attempt),
    );
  },

  async list(call: BindingCall, { limit, ...filters }: ListArguments = {}): Promise<Outcome<Page<User>>> {
    const query = readInput(listUsersSchema, present({ ...filters, limit: limit && String(limit) }));
    return query.ok ? await call.services.users.list(call.actor, query.value) : query;
  },
};
