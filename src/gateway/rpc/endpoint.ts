/** RPC's place in the gateway: Connect and gRPC-Web. The library is loaded by the first call, so REST never waits for it. */
import type { Context } from "hono";
import type { Protocol } from "../protocol";
import type { GatewayEnv } from "../request-context";
import { renderRpcRefusal } from "./refused";

export const rpcProtocol: Protocol = {
  path: "/rpc/*",
  isJsonOnly: false,
  renderRefusal: renderRpcRefusal,
  answer: async (c) => {
    if (isGrpc(c)) return refuseGrpc(c);
    const { answerRpc } = await import("./server");
    return await answerRpc(c);
  },
};

const GRPC = /^application\/grpc(?:\+[a-z]+)?(?:;|$)/i;

function isGrpc(c: Context<GatewayEnv>): boolean {
  return GRPC.test(c.req.header("content-type")?.trim() ?? "");
}

/** Workers drop HTTP trailers without a word, and a gRPC client without them waits or guesses. */
function refuseGrpc(c: Context<GatewayEnv>): Response {
  const message =
    "gRPC needs HTTP trailers, which this platform does not send. Use the Connect protocol (application/proto, application/json) or gRPC-Web (application/grpc-web).";
  c.header("Content-Type", "application/grpc");
  c.header("Grpc-Status", "12");
  c.header("Grpc-Message", encodeURIComponent(message));
  return c.body(null, 415);
}
