/** A back office: it reads users and their orders in its own name, and asks whose a token is. */
import type { AuthEntrypoint, OrdersEntrypoint, Outcome, UsersEntrypoint } from "./meridian";

interface Bindings {
  readonly USERS: UsersEntrypoint;
  readonly USERS_AS_STRANGER: UsersEntrypoint;
  readonly AUTH: AuthEntrypoint;
  readonly ORDERS: OrdersEntrypoint;
}

export default {
  async fetch(request, env): Promise<Response> {
    const url = new URL(request.url);
    const [, section, id = ""] = url.pathname.split("/");
    switch (section) {
      case "sign-up": {
        const input = await request.json<{ name: string; email: string }>();
        // The address is its own key: however often this is sent, one user is made.
        return answer(await env.USERS.create(input, { idempotencyKey: input.email }));
      }
      case "users":
        return answer(await env.USERS.get(id));
      case "users-as-stranger":
        return answer(await env.USERS_AS_STRANGER.get(id));
      case "orders-of":
        return answer(await env.ORDERS.list({ userId: id, limit: 10 }));
      case "whose":
        return answer(await env.AUTH.verifyToken(id));
      default:
        return new Response("see src/worker.ts\n", { status: 404 });
    }
  },
} satisfies ExportedHandler<Bindings>;

/** A refusal is a value: it is branched on, never caught. */
function answer(outcome: Outcome<unknown>): Response {
  return outcome.ok ? Response.json(outcome.value) : Response.json(outcome.refusal, { status: 422 });
}
