/** What the protocols share of a request: its services, its actor, and how both are typed in Hono. */
import type { Actor } from "../kernel/actor";
import type { ErrorCode, Refusal } from "../kernel/errors";
import type { AuditTrail } from "../platform/audit";
import type { Config } from "../platform/env";
import type { HealthReport } from "../platform/health";
import type { Limiter } from "../platform/limiter";
import type { ExpositionFormat } from "../platform/observability/metrics";
import type { Outbox } from "../platform/outbox";
import type { Scope } from "../platform/scope";
import type {
  AccessTokens,
  AccountMails,
  AddressProof,
  Authenticator,
  AuthService,
  BearerToken,
  KeySet,
  RecoveryService,
} from "../services/auth";
import type { AnalyticsService } from "../services/operations/analytics";
import type { EventService } from "../services/operations/events";
import type { LimitService } from "../services/operations/limits";
import type { OrderService, ProductService } from "../services/orders";
import type { UserService } from "../services/users";
import type { WebhookService } from "../services/webhooks";
import type { RenderRefusal } from "./refusal-rendering";

/** Built per request, message batch or cron tick by `wiring.ts`. */
export interface Services {
  readonly users: UserService;
  readonly products: ProductService;
  readonly orders: OrderService;
  readonly analytics: AnalyticsService;
  readonly auth: AuthService;
  readonly recovery: RecoveryService;
  readonly addressProof: AddressProof;
  readonly mails: AccountMails;
  readonly audit: AuditTrail;
  readonly events: EventService;
  readonly webhooks: WebhookService;
  readonly accessTokens: AccessTokens;
  readonly authenticator: Authenticator;
  readonly keySet: KeySet;
  readonly limiter: Limiter;
  readonly limits: LimitService;
  readonly outbox: Outbox;
  /** Of a second ago at most, or ten while somebody else asks. */
  readonly recentHealth: () => Promise<HealthReport>;
  /** Every metric as text. **Errors**: `unavailable`. */
  readonly reportMetrics: (format: ExpositionFormat) => Promise<string>;
  /** The latest D1 bookmark of this request; null before its first D1 call. */
  readonly bookmark: () => string | null;
  /** Deletes counts that have left their window; answers how many. */
  readonly sweepAttemptCounts: () => Promise<number>;
  /** Deletes expired records; answers how many. */
  readonly sweepIdempotencyRecords: () => Promise<number>;
}

export type Wire = (env: Env, config: Config, scope: Scope) => Services;

/** What came in `Authorization`. */
export type Credentials =
  | { readonly kind: "none" }
  /** Signature and claims hold; whether it was revoked is not known yet. */
  | { readonly kind: "verified"; readonly presented: string; readonly token: BearerToken }
  | { readonly kind: "bad"; readonly refusal: Refusal };

export interface GatewayEnv {
  Bindings: Env;
  Variables: {
    requestId: string;
    config: Config;
    scope: Scope;
    services: Services;
    credentials: Credentials;
    actor: Actor;
    /**
     * Set by the gate, for requests that hold several use cases: charges one more and judges the token anew, for one of
     * them may have ended it. The refusal, if that is the gate's word. **Errors**: `unavailable`.
     */
    admitAgain: () => Promise<Refusal | null>;
    /** Of the refusal that was answered, for the log. */
    errorCode?: ErrorCode;
    /** One of the operations behind a protocol's single route, for the log and the metrics: a name of ours. */
    operation?: string;
    /** What `routeOf` found. */
    route?: string;
    /** How the path's protocol words a refusal; absent where that is a problem document. */
    renderRefusal?: RenderRefusal;
    /** Set by protocols whose reads come by POST: nothing was written, so there is no write to read. */
    isRead?: boolean;
  };
}
