/** Webhook endpoints, for administrators: who is told of what, and under which secret. */
import type { Actor } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import type { Page } from "../../kernel/cursor";
import { done, type Outcome, refuse, refuseInvalid, refuseNotFound } from "../../kernel/errors";
import { authorize } from "../../kernel/permissions";
import type { AuditTrail } from "../../platform/audit";
import { randomBytes } from "../../platform/clock";
import type { Database } from "../../platform/database";
import { type Attempt, unkeyed } from "../../platform/idempotency";
import { type Outbox, Subscriptions } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import type { Sealer } from "../../platform/sealing";
import type { Vault } from "../../platform/vault";
import { WEBHOOKS_SOURCE, webhookEvents } from "./events";
import {
  consumerNameOf,
  type Endpoint,
  type Webhook,
  type WebhookDelivery,
  type WebhookWithSecret,
} from "./model";
import { toEndpoint, toWebhook, WebhookRepository } from "./repository";
import type { CreateWebhookInput, ListWebhooksQuery, PatchWebhookInput } from "./schemas";
import { newSecret } from "./signature";
import { faultOfTarget, type TargetPolicy } from "./target";

interface Dependencies {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly audit: AuditTrail;
  readonly sealer: Sealer;
  readonly vault: Vault;
  readonly target: TargetPolicy;
  /** Every event type of the catalogue. */
  readonly knownTypes: readonly string[];
  readonly scope: Scope;
}

/** Each costs every commit of an event a row. */
const ENDPOINTS_MAX = 50;
/** Of 500 attempts each: seven million a day. */
const RETENTION_STEPS_MAX = 10;
/** After a rotation both secrets sign for so long, so that a receiver can change over without missing one. */
const ROTATION_OVERLAP_MS = 24 * 3_600_000;

export class WebhookService {
  readonly #on: Dependencies;
  readonly #repository: WebhookRepository;
  readonly #subscriptions: Subscriptions;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
    this.#repository = new WebhookRepository(dependencies.database);
    this.#subscriptions = new Subscriptions(dependencies.database);
  }

  /** **Errors**: `forbidden`, `validation_failed`, `unavailable` (name look-up). **Cost**: 2 D1 round trips, 2 look-ups. */
  async create(
    actor: Actor,
    input: CreateWebhookInput,
    attempt: Attempt<WebhookWithSecret> = unkeyed(),
  ): Promise<Outcome<WebhookWithSecret>> {
    const permitted = authorize(actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    const checked = await this.#check(input);
    if (!checked.ok) return checked;
    const { database, vault, scope } = this.#on;
    const { rows, ended } = await attempt.open(database, [this.#repository.selectCount()]);
    if (ended !== null) return ended;
    if ((rows[0][0]?.count ?? 0) >= ENDPOINTS_MAX) {
      const message = `There may be ${ENDPOINTS_MAX} endpoints at most.`;
      return refuseInvalid({ pointer: "#", code: "too_many", message });
    }
    const id = scope.newId();
    const at = scope.clock();
    const secret = newSecret(randomBytes(32));
    const webhook = { id, ...input, isEnabled: true, createdAt: toTimestamp(at), secret };
    await database.commit([
      this.#repository.insert({ ...input, id, at, secret: await vault.encrypt(consumerNameOf(id), secret) }),
      ...this.#subscriptions.set(consumerNameOf(id), input.types),
      this.#audit(actor, "webhook.create", id, { types: input.types.join(" ") }),
      ...(await attempt.record(database, webhook)),
    ]);
    return done(webhook);
  }

  /** Oldest first. **Errors**: `forbidden`, `validation_failed` (cursor). **Cost**: 1 D1 round trip. */
  async list(actor: Actor, query: ListWebhooksQuery): Promise<Outcome<Page<Webhook>>> {
    const permitted = authorize(actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    return await this.#page("webhooks", query, (after) => this.#repository.page(after, query.limit));
  }

  async get(actor: Actor, id: string): Promise<Outcome<Webhook>> {
    const permitted = authorize(actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    const endpoint = await this.#repository.find(id);
    return endpoint === null ? refuseNotFound() : done(toWebhook(endpoint));
  }

  /** Switching it on again ends its row of failures. **Errors**: as `create`, `not_found`. **Cost**: 2 D1 round trips. */
  async patch(
    actor: Actor,
    id: string,
    input: PatchWebhookInput,
    attempt: Attempt<Webhook> = unkeyed(),
  ): Promise<Outcome<Webhook>> {
    const permitted = authorize(actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    const checked = await this.#check(input);
    if (!checked.ok) return checked;
    const begun = await this.#begin(actor, id, attempt);
    if (!begun.isOurs) return begun.ended;
    const { database, scope } = this.#on;
    const next = { ...toWebhook(begun.endpoint), ...definedOf(input) };
    const types = next.isEnabled ? next.types : [];
    const selectLatest = this.#repository.selectById(id);
    const answer = await database.commit([
      this.#repository.update(id, definedOf(input), scope.clock()),
      ...this.#subscriptions.set(consumerNameOf(id), types),
      this.#audit(actor, "webhook.update", id, { changed: Object.keys(input).join(" ") }),
      ...(await attempt.record(database, next, this.#repository.exists(id))),
      ...attempt.release(database),
      selectLatest,
    ]);
    const [row] = answer.of(selectLatest);
    if (row === undefined) return refuseNotFound();
    return done(attempt.isKeyed ? next : toWebhook(toEndpoint(row)));
  }

  /** Nothing more is sent to it, not even what was committed before. **Errors**: `forbidden`, `not_found`. */
  async remove(actor: Actor, id: string, attempt: Attempt<null> = unkeyed()): Promise<Outcome<null>> {
    const begun = await this.#begin(actor, id, attempt);
    if (!begun.isOurs) return begun.ended;
    const { database } = this.#on;
    await database.commit([
      ...this.#repository.remove(id),
      ...this.#subscriptions.withdraw(consumerNameOf(id)),
      this.#audit(actor, "webhook.delete", id),
      ...(await attempt.record(database, null)),
    ]);
    return done(null);
  }

  /** A new secret; the old one signs for 24 hours more. **Errors**: `forbidden`, `not_found`. */
  async rotateSecret(
    actor: Actor,
    id: string,
    attempt: Attempt<WebhookWithSecret> = unkeyed(),
  ): Promise<Outcome<WebhookWithSecret>> {
    const begun = await this.#begin(actor, id, attempt);
    if (!begun.isOurs) return begun.ended;
    const { database, vault, scope } = this.#on;
    const at = scope.clock();
    const secret = newSecret(randomBytes(32));
    const stored = await vault.encrypt(consumerNameOf(id), secret);
    const rotated = { ...toWebhook(begun.endpoint), secret };
    await database.commit([
      this.#repository.rotate(id, stored, at + ROTATION_OVERLAP_MS, at),
      this.#audit(actor, "webhook.rotate_secret", id),
      ...(await attempt.record(database, rotated)),
    ]);
    return done(rotated);
  }

  /** Sends a `webhook.test` event to this endpoint alone. **Errors**: `forbidden`, `not_found`, `invalid_transition`. */
  async sendTest(
    actor: Actor,
    id: string,
    attempt: Attempt<{ readonly eventId: string }> = unkeyed(),
  ): Promise<Outcome<{ readonly eventId: string }>> {
    const begun = await this.#begin(actor, id, attempt);
    if (!begun.isOurs) return begun.ended;
    if (!begun.endpoint.isEnabled) return refuse("invalid_transition", "The endpoint is switched off.");
    const { database, outbox, scope } = this.#on;
    const eventId = scope.newId();
    const event = outbox.record({
      id: eventId,
      type: "webhook.test",
      source: WEBHOOKS_SOURCE,
      subject: id,
      version: webhookEvents["webhook.test"].version,
      data: { webhookId: id },
      consumers: [consumerNameOf(id)],
    });
    const answer = await database.commit([
      ...event,
      this.#audit(actor, "webhook.test", id),
      ...(await attempt.record(database, { eventId })),
    ]);
    outbox.relaySoon(answer);
    return done({ eventId });
  }

  /** Attempts, newest first. **Errors**: `forbidden`, `not_found`, `validation_failed` (cursor). */
  async deliveries(
    actor: Actor,
    id: string,
    query: ListWebhooksQuery,
  ): Promise<Outcome<Page<WebhookDelivery>>> {
    const found = await this.#find(actor, id);
    if (!found.ok) return found;
    return await this.#page(`webhook-deliveries ${id}`, query, (before) =>
      this.#repository.attempts(id, before === null ? null : Number(before), query.limit),
    );
  }

  /** Takes away attempts older than the retention. Run by the cron; bounded. @returns how many went */
  async expire(retentionDays: number): Promise<number> {
    const cutoff = this.#on.scope.clock() - retentionDays * 86_400_000;
    let gone = 0;
    for (let step = 0; step < RETENTION_STEPS_MAX; step += 1) {
      const count = await this.#repository.deleteAttemptsBefore(cutoff);
      gone += count;
      if (count === 0) break;
    }
    return gone;
  }

  /** Reads the endpoint and claims the key with it. What is over already is told before what is not there. */
  async #begin<T>(
    actor: Actor,
    id: string,
    attempt: Attempt<T>,
  ): Promise<
    | { readonly isOurs: true; readonly endpoint: Endpoint }
    | { readonly isOurs: false; readonly ended: Outcome<T> }
  > {
    const permitted = authorize(actor, "webhook.manage");
    if (!permitted.ok) return { isOurs: false, ended: permitted };
    const { rows, ended } = await attempt.open(this.#on.database, [this.#repository.selectById(id)]);
    if (ended !== null) return { isOurs: false, ended };
    const [row] = rows[0];
    if (row === undefined) return { isOurs: false, ended: refuseNotFound() };
    return { isOurs: true, endpoint: toEndpoint(row) };
  }

  async #find(actor: Actor, id: string): Promise<Outcome<Endpoint>> {
    const permitted = authorize(actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    const endpoint = await this.#repository.find(id);
    return endpoint === null ? refuseNotFound() : done(endpoint);
  }

  async #check(input: PatchWebhookInput): Promise<Outcome<null>> {
    const unknown = (input.types ?? []).findIndex(
      (type) => type !== "*" && !this.#on.knownTypes.includes(type),
    );
    if (unknown >= 0) {
      const message = "Must be `*` or an event type of the catalogue.";
      return refuseInvalid({ pointer: `#/types/${unknown}`, code: "unknown_type", message });
    }
    const fault = input.url === undefined ? null : await faultOfTarget(input.url, this.#on.target);
    return fault === null
      ? done(null)
      : refuseInvalid({ pointer: "#/url", code: "invalid_url", message: fault });
  }

  async #page<Item extends { readonly id: string }>(
    purpose: string,
    query: ListWebhooksQuery,
    read: (from: string | null) => Promise<Item[]>,
  ): Promise<Outcome<Page<Item>>> {
    const { sealer } = this.#on;
    const from = query.cursor === undefined ? null : await sealer.open(purpose, query.cursor);
    if (query.cursor !== undefined && typeof from !== "string") return refuseCursor();
    const rows = await read(typeof from === "string" ? from : null);
    const data = rows.slice(0, query.limit);
    const last = data.at(-1);
    if (rows.length <= query.limit || last === undefined) return done({ data, nextCursor: null });
    return done({ data, nextCursor: await sealer.seal(purpose, last.id) });
  }

  #audit(actor: Actor, action: string, id: string, details: Readonly<Record<string, unknown>> = {}) {
    return this.#on.audit.record({ actor, action, subject: `webhook:${id}`, details });
  }
}

function definedOf({ url, types, isEnabled }: PatchWebhookInput) {
  return {
    ...(url === undefined ? {} : { url }),
    ...(types === undefined ? {} : { types }),
    ...(isEnabled === undefined ? {} : { isEnabled }),
  };
}

function refuseCursor() {
  return refuseInvalid({
    pointer: "#/query/cursor",
    code: "invalid_cursor",
    message: "This cursor was not given out for this list.",
  });
}
