/** What the outbox and its relay stand on. */
import type { Database } from "../database";
import type { Scope } from "../scope";
import type { DeliveryMessage } from "./consumer";

/** An event that is in the log now. */
export interface CommittedEvent {
  readonly type: string;
  /** Empty where the database made it out of the rows just written. */
  readonly data: object;
}

export interface OutboxOptions {
  readonly database: Database;
  readonly scope: Scope;
  /** Which of our queues takes a consumer's deliveries: what may hang must not stand before what may not. */
  readonly queueOf: (consumer: string) => Queue<DeliveryMessage>;
  /** The registered consumers of a type, exports included. */
  readonly consumersOf: (type: string) => readonly string[];
  /** How long a consumer wants its event to rest first. 0 for most. */
  readonly delaySecondsOf: (consumer: string) => number;
  /** Queues of other teams, by the name under which they are consumers. */
  readonly exports: ReadonlyMap<string, Queue>;
  /** `PUBLIC_URL`, for the envelope. */
  readonly publicUrl: string;
  readonly resendSeconds: number;
  readonly attemptsMax: number;
  readonly backoffSeconds: number;
  /** Told of each event once, when its change was committed. Must not throw. */
  readonly onCommitted?: (event: CommittedEvent) => void;
}
