/** What the document says of one call. The table of operations is made of these; `document.ts` derives the rest. */

import type { ErrorCode } from "../../src/kernel/errors";
import type * as z from "../../src/kernel/schema";
import type { ExampleName } from "../examples";
import type { InputName } from "./inputs";
import type { OutputName } from "./outputs";

/** Who may make the call. `events` is an administrator or the bearer of `EVENTS_TOKEN`; `metrics` that of `METRICS_TOKEN`. */
export type Access = "anyone" | "user" | "admin" | "events" | "metrics";

export type ResponseHeader = "ETag" | "Location" | "Link";

export interface Answer {
  readonly status: 200 | 201 | 202 | 204 | 304 | 503;
  readonly description: string;
  /** What the body is; absent when there is none. */
  readonly schema?: OutputName;
  /** The body is a page of `schema`. */
  readonly isPage?: true;
  readonly example?: ExampleName;
  /** In place of `schema`: bodies that are plain text, an example of each by media type. */
  readonly texts?: Readonly<Record<string, string>>;
  readonly headers?: readonly ResponseHeader[];
}

export interface Operation {
  readonly id: string;
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly query?: z.ZodMiniObject;
  readonly body?: { readonly schema: InputName; readonly example: ExampleName };
  /** Path parameters other than `id`, which is a UUID everywhere. */
  readonly pathParameters?: Readonly<Record<string, PathParameter>>;
  readonly answers: readonly Answer[];
  /** Beside those that follow from access, body, key and precondition. */
  readonly errors?: readonly ErrorCode[];
  /** An `Idempotency-Key` makes it safe to repeat. */
  readonly isKeyed?: true;
  /** `If-Match` is honoured. */
  readonly isPreconditioned?: true;
}

export interface PathParameter {
  readonly description: string;
  readonly pattern: string;
  readonly maxLength: number;
  readonly example: string;
}

/** The answers of a read with an entity tag. */
export function tagged(schema: OutputName, example: ExampleName, description: string): readonly Answer[] {
  return [
    { status: 200, description, schema, example, headers: ["ETag"] },
    { status: 304, description: "You have this version: `If-None-Match` names its tag.", headers: ["ETag"] },
  ];
}
