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
  masked,
} from "./gateway/bindings/binding-call";
import { ordersBinding } from "./gateway/bindings/orders";
import { usersBinding } from "./gateway/bindings/users";
import { backgroundScope } from "./platform/background-scope";
import { configOf } from "./platform/env";
import { ServiceEntrypoint } from "./platform/service-entrypoint";
import { wire } from "./wiring";

/**
 * Runs a use case in the name that the binding gives.
 *
 * @param ctx with the binding's `props`
 * **Errors**: as `masked`.
 */
async function answer<T>(
  env: Env,
  ctx: ExecutionContext,
  useCase: (call: BindingCall) => Promise<T>,
): Promise<T> {
  const config = configOf(env);
  const scope = backgroundScope("binding", config, ctx);
  return await masked(scope, async () => {
    return await useCase({ services: wire(env, config, scope), actor: actorOf(ctx.props), scope, config });
  });
}

export class UsersEntrypoint extends ServiceEntrypoint<Env> {
  get(id: string) {
    return answer(this.env, this.ctx, (call) => usersBinding.get(call, id));
  }
  create(input: unknown, options?: CallOptions) {
    return answer(this.env, this.ctx, (call) => usersBinding.create(call, input, options));
  }
  update(id: string, patch: unknown, options?: CallOptions) {
    return answer(this.env, this.ctx, (call) => usersBinding.update(call, id, patch, options));
  }
  delete(id: string, options?: CallOptions) {
    return answer(this.env, this.ctx, (call) => usersBinding.delete(call, id, options));
  }
  list(query?: ListArguments) {
    return answer(this.env, this.ctx, (call) => usersBinding.list(call, query));
  }
}

export class AuthEntrypoint extends ServiceEntrypoint<Env> {
  logIn(input: unknown) {
    return answer(this.env, this.ctx, (call) => authBinding.logIn(call, input));
  }
  refreshSession(refreshToken: string) {
    return answer(this.env, this.ctx, (call) => authBinding.refreshSession(call, refreshToken));
  }
  verifyToken(accessToken: string) {
    return answer(this.env, this.ctx, (call) => authBinding.verifyToken(call, accessToken));
  }
}

export class OrdersEntrypoint extends ServiceEntrypoint<Env> {
  place(input: unknown, options?: CallOptions) {
    return answer(this.env, this.ctx, (call) => ordersBinding.place(call, input, options));
  }
  get(id: string) {
    return answer(this.env, this.ctx, (call) => ordersBinding.get(call, id));
  }
  list(query?: ListArguments) {
    return answer(this.env, this.ctx, (call) => ordersBinding.list(call, query));
  }
  changeStatus(id: string, status: string, options?: CallOptions) {
    return answer(this.env, this.ctx, (call) => ordersBinding.changeStatus(call, id, status, options));
  }
}
