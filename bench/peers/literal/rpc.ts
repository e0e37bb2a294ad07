/** `/rpc`: Connect, with the project's own messages. */
import { createConnectRouter, createContextKey, createContextValues } from "@connectrpc/connect";
import {
  universalServerRequestFromFetch,
  universalServerResponseToFetch,
} from "@connectrpc/connect/protocol";
import type { Context } from "hono";
import { Role } from "../../../src/gateway/rpc/gen/users/v1/user_pb";
import { UserService } from "../../../src/gateway/rpc/gen/users/v1/user_service_pb";
import { timestampMessage, withoutNull } from "../../../src/gateway/rpc/user-message";
import type { LiteralEnv } from "./env";
import { ownerOf } from "./gate";
import { getUser } from "./users";

const CALL = createContextKey<Context<LiteralEnv> | null>(null);

const router = createConnectRouter({ grpc: false, jsonOptions: { alwaysEmitImplicit: true } }).service(
  UserService,
  {
    async getUser({ id }, { values }) {
      const c = values.get(CALL);
      if (c === null) throw new TypeError("an RPC was invoked without its call");
      ownerOf(c.var.actor, id);
      const user = await getUser(c.env, id, (work) => c.executionCtx.waitUntil(work));
      if (user === null) return {};
      const { profile, pendingEmail, age, createdAt, updatedAt, role, ...rest } = user;
      return {
        user: {
          ...rest,
          ...withoutNull({ pendingEmail, age }),
          role: role === "admin" ? Role.ADMIN : Role.USER,
          profile: withoutNull(profile),
          createdAt: timestampMessage(createdAt),
          updatedAt: timestampMessage(updatedAt),
        },
      };
    },
  },
);

const HANDLERS = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

export async function answerRpc(c: Context<LiteralEnv>): Promise<Response> {
  const handler = HANDLERS.get(c.req.path.slice("/rpc".length));
  if (handler === undefined) return c.notFound();
  const request = universalServerRequestFromFetch(c.req.raw, {});
  const contextValues = createContextValues().set(CALL, c);
  return universalServerResponseToFetch(await handler({ ...request, contextValues }));
}
