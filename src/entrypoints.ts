/**
 * The services as other Workers call them by service binding: the same use cases, permissions and input rules as over
 * HTTP, with no HTTP in between. Each method answers `{ok: true, value}` or `{ok: false, refusal}`; what fails throws.
 * Such a call spends no budget: whoever may bind is trusted to be polite. See examples/service-caller.
 */
import { authBinding } from "./gateway/bindings/auth";
import {
  actorOf,
  type BindingCall,
  type CallOptions,
  type ListArguments,
} from "./gateway/bindings/binding-call";
import { ordersBinding } from "./gateway/bindings/orders";
import { usersBinding } from "./gateway/bindings/users";
import { backgroundScope } from "./platform/background-scope";
import { configOf } from "./platform/env";
import { ServiceEntrypoint } from "./platform/service-entrypoint";
import { wire } from "./wiring";

/** @param ctx with the binding's `props` */
function open(env: Env, ctx: ExecutionContext): BindingCall {
  const config = configOf(env);
  const scope = backgroundScope("binding", config, ctx);
  return { services: wire(env, config, scope), actor: actorOf(ctx.props), scope, config };
}

export class UsersEntrypoint extends ServiceEntrypoint<Env> {
  get(id: string) {
    return usersBinding.get(open(this.env, this.ctx), id);
  }
  create(input: unknown, options?: CallOptions) {
    return usersBinding.create(open(this.env, this.ctx), input, options);
  }
  update(id: string, patch: unknown, options?: CallOptions) {
    return usersBinding.update(open(this.env, this.ctx), id, patch, options);
  }
  delete(id: string, options?: CallOptions) {
    return usersBinding.delete(open(this.env, this.ctx), id, options);
  }
  list(query?: ListArguments) {
    return usersBinding.list(open(this.env, this.ctx), query);
  }
}

export class AuthEntrypoint extends ServiceEntrypoint<Env> {
  logIn(input: unknown) {
    return authBinding.logIn(open(this.env, this.ctx), input);
  }
  refreshSession(refreshToken: string) {
    return authBinding.refreshSession(open(this.env, this.ctx), refreshToken);
  }
  verifyToken(accessToken: string) {
    return authBinding.verifyToken(open(this.env, this.ctx), accessToken);
  }
}

export class OrdersEntrypoint extends ServiceEntrypoint<Env> {
  place(input: unknown, options?: CallOptions) {
    return ordersBinding.place(open(this.env, this.ctx), input, options);
  }
  get(id: string) {
    return ordersBinding.get(open(this.env, this.ctx), id);
  }
  list(query?: ListArguments) {
    return ordersBinding.list(open(this.env, this.ctx), query);
  }
  changeStatus(id: string, status: string, options?: CallOptions) {
    return ordersBinding.changeStatus(open(this.env, this.ctx), id, status, options);
  }
}
