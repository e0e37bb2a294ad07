/** What every change of a user brings with it: its event and its audit row in the batch, and what follows the commit. */
import type { Actor } from "../../kernel/actor";
import { NO_PRECONDITION, type Precondition } from "../../kernel/entity-tag";
import type { AuditTrail } from "../../platform/audit";
import type { Answer, Statement, Statements } from "../../platform/database";
import type { Outbox } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import { USERS_SOURCE, type UserEventType, userEvents } from "./events";
import type { ChangeContext, User } from "./model";
import { both, CHANGED, changedBy, EVENT_DATA, type UserRepository } from "./repository";
import type { UserCache } from "./user-cache";

export interface JournalDependencies {
  readonly repository: UserRepository;
  readonly cache: UserCache;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly scope: Scope;
}

export class ChangeJournal {
  readonly #on: JournalDependencies;

  constructor(dependencies: JournalDependencies) {
    this.#on = dependencies;
  }

  /** A change that is about to be made: its event's id is what the row will carry, and what its batch is guarded on. */
  begin(id: string, precondition: Precondition = NO_PRECONDITION): ChangeContext {
    const { scope } = this.#on;
    return { id, precondition, eventId: scope.newId(), at: scope.clock() };
  }

  /** The event of a change, as statements. */
  eventOf(type: UserEventType, context: ChangeContext) {
    return this.#on.outbox.record({
      id: context.eventId,
      type,
      source: USERS_SOURCE,
      subject: context.id,
      version: userEvents[type].version,
      data: EVENT_DATA,
      guard: CHANGED,
      values: { id: context.id, eventId: context.eventId },
    });
  }

  /** The audit row of a change, written where the change was. */
  audited(actor: Actor, action: string, context: ChangeContext, details: object = {}): Statement {
    return this.#on.audit.record({
      actor,
      action,
      subject: `user:${context.id}`,
      details: { ...details },
      guard: CHANGED,
      values: { id: context.id, eventId: context.eventId },
    });
  }

  /** `email.change_requested`, as statements: somebody mails the pending address, if there is one. */
  emailChangeRequested(eventId: string, userId: string, change?: ChangeContext) {
    const { outbox, repository } = this.#on;
    const hasPending = repository.hasPendingEmail(userId);
    return outbox.record({
      id: eventId,
      type: "email.change_requested",
      source: USERS_SOURCE,
      subject: userId,
      version: userEvents["email.change_requested"].version,
      data: repository.pendingEmailData(userId),
      guard: change === undefined ? hasPending : both(hasPending, changedBy(change)),
    });
  }

  /** What follows a commit: the cache has the new value at once, the Queue has the event after the response. */
  settle(context: ChangeContext, answer: Answer<Statements>, user: User | null): void {
    const { bookmark, isFromPrimary } = answer;
    this.#on.cache.written(context.id, { bookmark, isFromPrimary, value: user }, context.at);
    this.#on.outbox.relaySoon(answer);
  }
}
