/** What a service hands to the write path: the plan of a change, and what is decided on the row. See `change.ts`. */
import type { BatchResponse } from "drizzle-orm/batch";
import type { Outcome } from "../kernel/errors";
import type { NewEvent } from "../kernel/event";
import type { AuditTrail } from "./audit";
import type { Answer, Database, Statement, Statements } from "./database";
import type { Mark, Marked, MarkedTable, PendingMark } from "./mark";
import type { Outbox } from "./outbox";
import type { Scope } from "./scope";

/** What a change stands on. */
export interface ChangeTools {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly scope: Scope;
}

/** An event of a change. */
export interface ChangeEvent extends Omit<NewEvent, "data"> {
  readonly data: object;
  /** Instead of the registered consumers and subscriptions of its type. */
  readonly consumers?: readonly string[];
}

/** What a change does, once it is decided. */
export interface Decision<T> {
  /** The first writes the mark into the row as it was read; the others are guarded on the mark. Empty: nothing changes. */
  readonly writes: Statements;
  readonly answer: T;
  /** The first takes the id of the change. */
  readonly events?: readonly ChangeEvent[];
  /** Of the audit row. */
  readonly details?: object;
  /** Tells the user's object, before the commit. **Errors**: `unavailable`; nothing is written then. */
  readonly tell?: () => Promise<void>;
  /** Takes the row away, at the end of the batch. */
  readonly last?: Statements;
}

export interface Plan<Row extends Marked, Select extends Statement, Also extends Statements, T> {
  readonly table: MarkedTable;
  readonly id: string;
  /** Of the audit row: `user:<id>` and `user.update`. */
  readonly subject: string;
  readonly action: string;
  /** The row in words, for the refusal when others were faster each time: `user`. */
  readonly noun: string;
  /** Reads the row; null for a new one. It runs again in the batch of the commit. */
  readonly select: Select | null;
  /** What else decides. It is read once, with the row. */
  readonly also?: Also;
  /** The row, out of what `select` and, at the first read, `also` returned. */
  readonly rowOf: (rows: Select["_"]["result"], also: BatchResponse<Also> | null) => Row | null;
  /** The row as a cache has it; null when none has. Only for a plan without `also`, and only a call without a key uses it. */
  readonly cached?: () => Promise<Row | null>;
  /** Whether the caller may make the change at all. It decides before an earlier answer is replayed. */
  readonly permit?: (row: Row | null) => Outcome<unknown>;
  readonly decide: (
    row: Row | null,
    mark: PendingMark,
    also: BatchResponse<Also> | null,
  ) => Outcome<Decision<T>>;
  /** What a violated constraint of the schema means, by its name. */
  readonly violations?: Readonly<Record<string, () => Outcome<never>>>;
  /** Makes the answer from the row as the batch left it, for a table to which others write without a mark. Not used under a key. */
  readonly answerOf?: (row: Row) => T;
  /** After the commit. @param row as the batch left it; null when it was taken away */
  readonly committed?: (row: Row | null, answer: Answer<Statements>, mark: Mark) => void;
}
