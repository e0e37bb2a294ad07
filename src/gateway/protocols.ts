/** The protocols beside REST. */
import { graphqlProtocol } from "./graphql/endpoint";
import type { Protocol } from "./protocol";
import { rpcProtocol } from "./rpc/endpoint";

export const PROTOCOLS: readonly Protocol[] = [graphqlProtocol, rpcProtocol];
