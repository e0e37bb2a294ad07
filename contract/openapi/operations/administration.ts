/** `/api/limits`, `/api/audit` and `/api/analytics` in the document. */

import { auditQuerySchema } from "../../../src/gateway/audit-entries";
import { signupsQuery } from "../../../src/services/operations/analytics";
import type { Operation } from "../operation";

const tag = "Administration";
const limitPath = {
  path: "/api/limits/{client}",
  tag,
  access: "admin",
  pathParameters: {
    client: {
      description: "`user:<id>`, `ip:<address>`, `unknown` or `plan:<name>`.",
      pattern: "^(?:user:|ip:|plan:|unknown|[0-9a-fA-F])",
      maxLength: 100,
      example: "plan:partner",
    },
  },
} as const;

export const administrationOperations: readonly Operation[] = [
  {
    ...limitPath,
    id: "getLimit",
    method: "get",
    summary: "Show a client's or a plan's limit",
    answers: [{ status: 200, description: "The numbers in force.", schema: "Limit", example: "limit" }],
    errors: ["not_found"],
  },
  {
    ...limitPath,
    id: "setLimit",
    method: "put",
    summary: "Give a client or a plan other numbers",
    description: "Either numbers of its own or, for a client, a plan's name. In force within 60 s.",
    body: { schema: "SetLimitInput", example: "setLimit" },
    answers: [{ status: 200, description: "The numbers now.", schema: "Limit", example: "limit" }],
  },
  {
    ...limitPath,
    id: "clearLimit",
    method: "delete",
    summary: "Return a client to the default",
    answers: [{ status: 204, description: "The default is in force." }],
    errors: ["not_found"],
  },
  {
    id: "listAuditEntries",
    method: "get",
    path: "/api/audit",
    tag,
    summary: "Read the audit trail",
    access: "admin",
    query: auditQuerySchema(),
    answers: [
      {
        status: 200,
        description: "A page of entries, oldest first.",
        schema: "AuditEntry",
        isPage: true,
        example: "auditEntry",
      },
    ],
  },
  {
    id: "countSignups",
    method: "get",
    path: "/api/analytics/signups",
    tag,
    summary: "Count sign-ups by day",
    description: "Days in UTC, both ends included, 366 at most.",
    access: "admin",
    query: signupsQuery(),
    answers: [
      {
        status: 200,
        description: "The days, in one page.",
        schema: "SignupDay",
        isPage: true,
        example: "signupDay",
      },
    ],
  },
];
