/** One attempt to hand one event to one endpoint. */
import { AppError } from "../../kernel/errors";
import type { CloudEvent } from "../../kernel/event";
import type { Database } from "../../platform/database";
import { newMark } from "../../platform/mark";
import { continueTrace } from "../../platform/observability/traceparent";
import { type ExternalConsumer, type RetryPolicy, Subscriptions } from "../../platform/outbox";
import type { Scope } from "../../platform/scope";
import type { Vault } from "../../platform/vault";
import { consumerNameOf, type Endpoint, webhookIdOf } from "./model";
import { ENDPOINTS, WebhookRepository } from "./repository";
import { signedHeaders } from "./signature";
import { faultOfTarget, type TargetPolicy } from "./target";

const DEADLINE_MS = 10_000;
/** With a backoff of 5 s doubling to 6 h, 21 attempts span 53 hours, and 26 at the shortest jitter. */
const ATTEMPTS_MAX = 21;
const BACKOFF_MAX_SECONDS = 6 * 3600;
/** An endpoint that has taken nothing for so long is switched off. */
const FAILING_MAX_MS = 5 * 86_400_000;

interface Dependencies {
  readonly database: Database;
  readonly vault: Vault;
  readonly target: TargetPolicy;
  /** `WEBHOOK_BACKOFF_SECONDS` */
  readonly backoffSeconds: number;
  readonly scope: Scope;
}

interface Result {
  readonly statusCode: number | null;
  /** Null after a 2xx. */
  readonly error: string | null;
}

export class WebhookDeliverer implements ExternalConsumer {
  readonly kind = "external";
  readonly retry: RetryPolicy;
  readonly #on: Dependencies;
  readonly #repository: WebhookRepository;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
    this.#repository = new WebhookRepository(dependencies.database);
    const { backoffSeconds } = dependencies;
    this.retry = { attemptsMax: ATTEMPTS_MAX, backoffSeconds, backoffMaxSeconds: BACKOFF_MAX_SECONDS };
  }

  /**
   * **Errors**: `unavailable` for an attempt that may be repeated; `internal` when the endpoint is gone, switched off
   * or answers 410. **Cost**: 2 D1 round trips, 2 look-ups, 1 call of 10 s at most.
   */
  async act(
    event: CloudEvent,
    delivery: { readonly consumer: string; readonly attempt: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const endpoint = await this.#repository.find(webhookIdOf(delivery.consumer) ?? "");
    if (endpoint === null) throw new AppError("internal", "the endpoint is gone");
    if (!endpoint.isEnabled) throw new AppError("internal", "the endpoint is switched off");
    const startedAt = this.#on.scope.clock();
    const result = await this.#post(event, endpoint, delivery.signal);
    await this.#record(event, endpoint, delivery.attempt, result, startedAt);
    if (result.error === null) return;
    throw new AppError(result.statusCode === 410 ? "internal" : "unavailable", result.error);
  }

  async #post(event: CloudEvent, endpoint: Endpoint, signal: AbortSignal): Promise<Result> {
    try {
      const fault = await faultOfTarget(endpoint.url, this.#on.target);
      if (fault !== null) return { statusCode: null, error: "the URL may not be called" };
      const response = await fetch(endpoint.url, {
        ...(await this.#signed(event, endpoint)),
        method: "POST",
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
      });
      await response.body?.cancel();
      return { statusCode: response.status, error: faultOfAnswer(response.status) };
    } catch (error) {
      const fields = { webhookId: endpoint.id, error };
      this.#on.scope.log.log("warn", "webhook.call_failed", fields);
      return { statusCode: null, error: faultOfCall(error) };
    }
  }

  async #signed(
    event: CloudEvent,
    endpoint: Endpoint,
  ): Promise<{ body: string; headers: Record<string, string> }> {
    const now = this.#on.scope.clock();
    const isPreviousValid = (endpoint.previousExpiresAt ?? 0) > now;
    const stored = [endpoint.secret, ...(isPreviousValid ? [endpoint.previousSecret] : [])];
    const secrets = await Promise.all(
      stored
        .filter((each) => each !== null)
        .map((each) => this.#on.vault.decrypt(consumerNameOf(endpoint.id), each)),
    );
    const body = JSON.stringify(event);
    const signature = await signedHeaders({ id: event.id, timestamp: Math.floor(now / 1000), body }, secrets);
    return {
      body,
      headers: {
        ...signature,
        "content-type": "application/cloudevents+json; charset=utf-8",
        "user-agent": "Meridian",
        // The trace of the request that caused the event goes on at its receiver.
        traceparent: continueTrace(event.traceparent),
      },
    };
  }

  /** The log and the endpoint's health. A failure to write them must not repeat a delivery that has succeeded. */
  async #record(
    event: CloudEvent,
    endpoint: Endpoint,
    attempt: number,
    result: Result,
    startedAt: number,
  ): Promise<void> {
    const { database, scope } = this.#on;
    const at = scope.clock();
    const row = { endpointId: endpoint.id, eventId: event.id, type: event.type, attempt, ...result };
    const isWorn = endpoint.failingSince !== null && at - endpoint.failingSince > FAILING_MAX_MS;
    const isOver = result.error !== null && (result.statusCode === 410 || isWorn);
    const [off, ...unsubscribe] = this.#switchOff(endpoint);
    try {
      const answer = await database.commit([
        this.#repository.logAttempt({ ...row, durationMs: at - startedAt, at }),
        this.#repository.markHealth(endpoint.id, result.error === null, at),
        ...(isOver ? [off, ...unsubscribe] : []),
      ]);
      if (isOver && answer.of(off).length > 0)
        scope.log.log("warn", "webhook.switched_off", { webhookId: endpoint.id });
    } catch (error) {
      scope.log.log("warn", "webhook.unrecorded", { webhookId: endpoint.id, error });
    }
  }

  /** An endpoint that was changed since it was read is left on: its next delivery is judged by what it is now. */
  #switchOff({ id, lastChangeId }: Endpoint) {
    const mark = { ...newMark(this.#on.scope, id), was: lastChangeId };
    const subscriptions = new Subscriptions(this.#on.database);
    return [
      this.#repository.switchOff(mark),
      ...subscriptions.set(consumerNameOf(id), [], ENDPOINTS.isMarkedBy(mark)),
    ] as const;
  }
}

function faultOfAnswer(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return `answered ${status}, and redirects are not followed`;
  return `answered ${status}`;
}

/** In words of ours: a network error's own may hold addresses. */
function faultOfCall(error: unknown): string {
  if (error instanceof AppError) return error.message;
  const isTimeout = error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
  return isTimeout ? "did not answer in time" : "could not be reached";
}
