/** Webhook endpoints, for administrators: who is told of what, and under which secret. */

import type { Actor } from "../../kernel/actor";
import { toTimestamp } from "../../kernel/clock";
import type { Page } from "../../kernel/cursor";
import { done, type Outcome, refuse, refuseInvalid, refuseNotFound } from "../../kernel/errors";
import { authorize } from "../../kernel/permissions";
import type { Call } from "../../platform/call";
import { change } from "../../platform/change";
import type { ChangeTools, Decision } from "../../platform/change-plan";
import { randomBytes } from "../../platform/clock";
import { inSteps } from "../../platform/in-steps";
import type { Keyset } from "../../platform/keyset";
import type { PendingMark } from "../../platform/mark";
import { Subscriptions } from "../../platform/outbox";
import type { Vault } from "../../platform/vault";
import { WEBHOOKS_SOURCE, webhookEvents } from "./events";
import { consumerNameOf, type Endpoint } from "./model";
import { ENDPOINTS, toEndpoint, toWebhook, WebhookRepository } from "./repository";
import type {
  CreateWebhookInput,
  ListWebhooksQuery,
  PatchWebhookInput,
  Webhook,
  WebhookDelivery,
  WebhookWithSecret,
} from "./schemas";
import { newSecret } from "./signature";
import { faultOfTarget, type TargetPolicy } from "./target";

interface Dependencies extends ChangeTools {
  readonly keyset: Keyset;
  readonly vault: Vault;
  readonly target: TargetPolicy;
  /** Every event type of the catalogue. */
  readonly knownTypes: readonly string[];
}

/** Each costs every commit of an event a row. */
const ENDPOINTS_MAX = 50;
/** Of 500 attempts each: seven million a day. */
const RETENTION_BOUND = { rows: 500, steps: 10 };
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
  async create(call: Call, input: CreateWebhookInput): Promise<Outcome<WebhookWithSecret>> {
    const permitted = authorize(call.actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    const checked = await this.#check(input);
    if (!checked.ok) return checked;
    const id = this.#on.scope.newId();
    const { secret, stored } = await this.#newSecret(id);
    return await change(this.#on, call, {
      ...{ table: ENDPOINTS, id, subject: `webhook:${id}`, action: "webhook.create", noun: "endpoint" },
      select: null,
      also: [this.#repository.selectCount()],
      rowOf: () => null,
      decide: (_none, mark, also) => {
        if ((also?.[0][0]?.count ?? 0) >= ENDPOINTS_MAX) return refuseTooMany();
        const webhook = { id, ...input, isEnabled: true, createdAt: toTimestamp(mark.at), secret };
        return done({
          writes: [
            this.#repository.insert(webhook, stored, mark),
            ...this.#subscriptions.set(consumerNameOf(id), input.types),
          ],
          answer: webhook,
          details: { types: input.types.join(" ") },
        });
      },
    });
  }

  /** Oldest first. **Errors**: `forbidden`, `validation_failed` (cursor). **Cost**: 1 D1 round trip. */
  async list(call: Call, query: ListWebhooksQuery): Promise<Outcome<Page<Webhook>>> {
    const { actor } = call;
    const permitted = authorize(actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    return await this.#on.keyset.list(
      "webhooks",
      query,
      (after) => this.#repository.page(after?.id ?? null, query.limit),
      ({ id }) => id,
    );
  }

  async get(call: Call, id: string): Promise<Outcome<Webhook>> {
    const { actor } = call;
    const permitted = authorize(actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    const endpoint = await this.#repository.find(id);
    return endpoint === null ? refuseNotFound() : done(toWebhook(endpoint));
  }

  /** Switching it on again ends its row of failures. **Errors**: as `create`, `not_found`. **Cost**: 2 D1 round trips. */
  async patch(call: Call, id: string, input: PatchWebhookInput): Promise<Outcome<Webhook>> {
    const permitted = authorize(call.actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    const checked = await this.#check(input);
    if (!checked.ok) return checked;
    return await this.#change(call, id, "webhook.update", (endpoint, mark) => {
      const next = { ...toWebhook(endpoint), ...definedOf(input) };
      const types = next.isEnabled ? next.types : [];
      return done({
        writes: [
          this.#repository.update(mark, input),
          ...this.#subscriptions.set(consumerNameOf(id), types, ENDPOINTS.isMarkedBy(mark)),
        ],
        answer: next,
        details: { changed: Object.keys(input).join(" ") },
      });
    });
  }

  /** Nothing more is sent to it, not even what was committed before. **Errors**: `forbidden`, `not_found`. */
  async remove(call: Call, id: string): Promise<Outcome<null>> {
    return await this.#change<null>(call, id, "webhook.delete", (_endpoint, mark) =>
      done({
        writes: [
          this.#repository.update(mark, {}),
          ...this.#subscriptions.withdraw(consumerNameOf(id), ENDPOINTS.isMarkedBy(mark)),
        ],
        answer: null,
        last: this.#repository.remove(mark),
      }),
    );
  }

  /** A new secret; the old one signs for 24 hours more. **Errors**: `forbidden`, `not_found`. */
  async rotateSecret(call: Call, id: string): Promise<Outcome<WebhookWithSecret>> {
    const { secret, stored } = await this.#newSecret(id);
    return await this.#change(call, id, "webhook.rotate_secret", (endpoint, mark) =>
      done({
        writes: [this.#repository.rotate(mark, stored, mark.at + ROTATION_OVERLAP_MS)],
        answer: { ...toWebhook(endpoint), secret },
      }),
    );
  }

  /** Sends a `webhook.test` event to this endpoint alone. **Errors**: `forbidden`, `not_found`, `invalid_transition`. */
  async sendTest(call: Call, id: string): Promise<Outcome<{ readonly eventId: string }>> {
    return await this.#change(call, id, "webhook.test", (endpoint, mark) => {
      if (!endpoint.isEnabled) return refuse("invalid_transition", "The endpoint is switched off.");
      const event = { type: "webhook.test", source: WEBHOOKS_SOURCE, subject: id };
      return done({
        writes: [this.#repository.update(mark, {})],
        answer: { eventId: mark.changeId },
        events: [
          {
            ...event,
            version: webhookEvents["webhook.test"].version,
            data: { webhookId: id },
            consumers: [consumerNameOf(id)],
          },
        ],
      });
    });
  }

  /** Attempts, newest first. **Errors**: `forbidden`, `not_found`, `validation_failed` (cursor). */
  async deliveries(
    call: Call,
    id: string,
    query: ListWebhooksQuery,
  ): Promise<Outcome<Page<WebhookDelivery>>> {
    const { actor } = call;
    const found = await this.#find(actor, id);
    if (!found.ok) return found;
    return await this.#on.keyset.list(
      `webhook-deliveries ${id}`,
      query,
      (before) => this.#repository.attempts(id, before === null ? null : Number(before.id), query.limit),
      (delivery) => delivery.id,
    );
  }

  /** Takes away attempts older than the retention. Run by the cron; bounded. @returns how many went */
  async expire(retentionDays: number): Promise<number> {
    const cutoff = this.#on.scope.clock() - retentionDays * 86_400_000;
    return await inSteps(RETENTION_BOUND, (rowsMax) =>
      this.#repository.deleteAttemptsBefore(cutoff, rowsMax),
    );
  }

  async #change<T>(
    call: Call,
    id: string,
    action: string,
    decide: (endpoint: Endpoint, mark: PendingMark) => Outcome<Decision<T>>,
  ): Promise<Outcome<T>> {
    const permitted = authorize(call.actor, "webhook.manage");
    if (!permitted.ok) return permitted;
    return await change(this.#on, call, {
      ...{ table: ENDPOINTS, id, subject: `webhook:${id}`, action, noun: "endpoint" },
      select: this.#repository.selectById(id),
      rowOf: ([row]) => (row === undefined ? null : toEndpoint(row)),
      decide: (endpoint, mark) => (endpoint === null ? refuseNotFound() : decide(endpoint, mark)),
    });
  }

  async #newSecret(id: string): Promise<{ readonly secret: string; readonly stored: string }> {
    const secret = newSecret(randomBytes(32));
    return { secret, stored: await this.#on.vault.encrypt(consumerNameOf(id), secret) };
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
}

function definedOf({ url, types, isEnabled }: PatchWebhookInput) {
  return {
    ...(url === undefined ? {} : { url }),
    ...(types === undefined ? {} : { types }),
    ...(isEnabled === undefined ? {} : { isEnabled }),
  };
}

function refuseTooMany() {
  const message = `There may be ${ENDPOINTS_MAX} endpoints at most.`;
  return refuseInvalid({ pointer: "#", code: "too_many", message });
}
