/** The Worker's own app over bindings that count, so that a test knows what each request asked of the platform. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createApp } from "../../src/gateway/http/app";
import { runScheduled } from "../../src/jobs/cron";
import { wireCron } from "../../src/jobs/index";
import { backgroundScope } from "../../src/platform/background-scope";
import { configOf } from "../../src/platform/env";
import { wire } from "../../src/wiring";

const app = createApp(wire);

/** Names are not looked up, for there may be no network. */
const OFFLINE = { WEBHOOK_ALLOW_LOCAL: "true" };

export type CallKind = "d1" | "kv-read" | "kv-write" | "object" | "queue";

interface Call {
  readonly kind: CallKind;
  readonly statements: number;
  /** D1 calls that had ended when this one began, in the longest chain, and this one. */
  readonly depth: number;
  endedAt: number | null;
  rowsRead: number;
  rowsWritten: number;
}

/** What a request took before its answer, and what followed. */
export interface Spent {
  readonly d1RoundTrips: number;
  readonly d1Statements: number;
  readonly d1RowsRead: number;
  readonly d1RowsWritten: number;
  readonly kvReads: number;
  readonly kvWrites: number;
  readonly objectCalls: number;
  readonly queueSends: number;
}

export interface Counted {
  readonly response: Response;
  readonly before: Spent;
  readonly after: Spent;
}

/** Bindings that fail or count apart, and configuration that is not in `Env` because it has a default. */
export type Overrides = Partial<Env> & { readonly TRUSTED_ISSUERS?: string };

/** Sends one request and waits for all that follows it. Headers as a client would send them. */
export async function sendCounted(request: Request, overrides: Overrides = {}): Promise<Counted> {
  const ledger = new Ledger();
  const context = createExecutionContext();
  const counted = { ...ledger.wrap({ ...env, ...OFFLINE, ...overrides } as Env) };
  const response = await app.fetch(request, counted, context);
  const body = await response.arrayBuffer();
  const answeredAt = ledger.tick();
  await waitOnExecutionContext(context);
  const isBefore = (call: Call) => call.endedAt !== null && call.endedAt < answeredAt;
  return {
    response: new Response(body.byteLength === 0 ? null : body, response),
    before: spentOn(ledger.calls.filter(isBefore)),
    after: spentOn(ledger.calls.filter((call) => !isBefore(call))),
  };
}

/** As `sendCounted`, for a tick of the cron. */
export async function tickCounted(): Promise<Spent> {
  const ledger = new Ledger();
  const context = createExecutionContext();
  const counted = ledger.wrap({ ...env, ...OFFLINE } as Env);
  const config = configOf(counted);
  const scope = backgroundScope("cron", config, context);
  // Not by the Worker's own handler, which then keeps its metrics back for seconds.
  await runScheduled(await wireCron(counted, config, scope), config, scope);
  await waitOnExecutionContext(context);
  return spentOn(ledger.calls);
}

function spentOn(calls: readonly Call[]): Spent {
  const of = (kind: CallKind) => calls.filter((call) => call.kind === kind);
  const depths = of("d1").map((call) => call.depth);
  return {
    // Side by side they take the time of one.
    d1RoundTrips: new Set(depths).size,
    d1Statements: of("d1").reduce((sum, call) => sum + call.statements, 0),
    d1RowsRead: of("d1").reduce((sum, call) => sum + call.rowsRead, 0),
    d1RowsWritten: of("d1").reduce((sum, call) => sum + call.rowsWritten, 0),
    kvReads: of("kv-read").length,
    kvWrites: of("kv-write").length,
    objectCalls: of("object").length,
    queueSends: of("queue").length,
  };
}

class Ledger {
  readonly calls: Call[] = [];
  #now = 0;

  tick(): number {
    this.#now += 1;
    return this.#now;
  }

  wrap(real: Env): Env {
    return {
      ...real,
      DB: this.#database(real.DB),
      USER_CACHE: this.#methods(real.USER_CACHE, { get: "kv-read", put: "kv-write", delete: "kv-write" }),
      CLIENT_LIMITER: this.#objects(real.CLIENT_LIMITER),
      METRICS: this.#objects(real.METRICS),
      EVENTS: this.#methods(real.EVENTS, { send: "queue", sendBatch: "queue" }),
      WEBHOOKS: this.#methods(real.WEBHOOKS, { send: "queue", sendBatch: "queue" }),
    };
  }

  async #count<T>(kind: CallKind, statements: number, call: () => Promise<T>): Promise<T> {
    const ended = this.calls.filter((other) => other.kind === kind && other.endedAt !== null);
    const depth = 1 + ended.reduce((deepest, other) => Math.max(deepest, other.depth), 0);
    const entry: Call = { kind, statements, depth, endedAt: null, rowsRead: 0, rowsWritten: 0 };
    this.calls.push(entry);
    try {
      const result = await call();
      if (kind === "d1") Object.assign(entry, rowsOf(result));
      return result;
    } finally {
      entry.endedAt = this.tick();
    }
  }

  #database(real: D1Database): D1Database {
    const overSession = (session: D1DatabaseSession) =>
      intercept(session, {
        batch: (statements: D1PreparedStatement[]) =>
          this.#count("d1", statements.length, () => session.batch(statements)),
      });
    return intercept(real, {
      withSession: (constraint?: string) => overSession(real.withSession(constraint)),
      batch: (statements: D1PreparedStatement[]) =>
        this.#count("d1", statements.length, () => real.batch(statements)),
    });
  }

  #objects<T extends Rpc.DurableObjectBranded | undefined>(
    real: DurableObjectNamespace<T>,
  ): DurableObjectNamespace<T> {
    return intercept(real, {
      getByName: (name: string) => {
        const stub = real.getByName(name);
        return new Proxy(stub, {
          get: (target, property) => this.#metered("object", target, property),
        });
      },
    });
  }

  #methods<Target extends object>(real: Target, kinds: Readonly<Record<string, CallKind>>): Target {
    return new Proxy(real, {
      get: (target, property) => {
        const kind = typeof property === "string" ? kinds[property] : undefined;
        return kind === undefined ? bound(target, property) : this.#metered(kind, target, property);
      },
    });
  }

  #metered(kind: CallKind, target: object, property: string | symbol): unknown {
    const method = bound(target, property);
    if (typeof method !== "function") return method;
    return (...args: unknown[]) => this.#count(kind, 0, async () => await method(...args));
  }
}

/** Of a batch, whose results all say what they cost. */
function rowsOf(results: unknown): Pick<Call, "rowsRead" | "rowsWritten"> {
  const batch = results as readonly D1Result[];
  return {
    rowsRead: batch.reduce((sum, { meta }) => sum + meta.rows_read, 0),
    rowsWritten: batch.reduce((sum, { meta }) => sum + meta.rows_written, 0),
  };
}

function intercept<Target extends object>(real: Target, methods: Readonly<Record<string, unknown>>): Target {
  return new Proxy(real, {
    get: (target, property) =>
      typeof property === "string" && property in methods ? methods[property] : bound(target, property),
  });
}

/** Bindings are native objects, whose methods must be called on themselves. */
function bound(target: object, property: string | symbol): unknown {
  const member: unknown = Reflect.get(target, property, target);
  return typeof member === "function" ? (...args: unknown[]) => Reflect.apply(member, target, args) : member;
}
