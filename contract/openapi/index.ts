/** The door of the OpenAPI document: for the build and for tests. The Worker itself never loads it. */
import { describe } from "./document";
import type { Operation } from "./operation";
import { administrationOperations } from "./operations/administration";
import { authOperations } from "./operations/auth";
import { eventOperations } from "./operations/events";
import { operationsOperations } from "./operations/operations";
import { orderOperations, productOperations } from "./operations/orders";
import { userOperations } from "./operations/users";
import { webhookOperations } from "./operations/webhooks";

export { EXAMPLES } from "../examples";
export { INPUTS } from "./inputs";
export { OUTPUTS } from "./outputs";

export const OPERATIONS: readonly Operation[] = [
  ...userOperations,
  ...authOperations,
  ...productOperations,
  ...orderOperations,
  ...eventOperations,
  ...webhookOperations,
  ...administrationOperations,
  ...operationsOperations,
];

/**
 * Routes that the document leaves out, by method and path, with the reason. Files of `public/`, such as `/openapi.json`
 * and `/docs`, wake no Worker and are no routes.
 */
export const UNDESCRIBED: Readonly<Record<string, string>> = {
  "get /graphql": "schema.graphql describes the protocol; a browser gets GraphiQL.",
  "post /graphql": "schema.graphql describes the protocol.",
  "get /rpc/*": "proto/ describes the protocol.",
  "post /rpc/*": "proto/ describes the protocol.",
  "get /verify-email": "A page that a mail links to. Its script calls verifyEmail.",
  "get /reset-password": "A page that a mail links to. Its script calls resetPassword.",
};

/** The whole document. Source: OpenAPI 3.1.1. */
export function openApiDocument(version: string): object {
  return describe(OPERATIONS, version);
}
