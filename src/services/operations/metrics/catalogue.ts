/**
 * Every metric: what may be recorded and what a scrape shows. docs/observability.md tells what to ask of them.
 *
 * A label's values are bounded: route patterns, methods, statuses, codes and registered names. Webhook endpoints and
 * exports, which come and go, share one value each.
 */
import type { MetricCatalogue } from "../../../platform/observability/metrics";

/** The clock moves with I/O when deployed, so what an isolate answers from memory falls into the first. */
const LATENCY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export const METRICS = {
  http_requests_total: {
    kind: "counter",
    help: "Answers to HTTP requests, refusals and unmatched paths included.",
    labels: ["route", "method", "status", "protocol"],
  },
  http_request_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time until the answer's head, as far as the clock moves.",
    labels: ["route", "protocol"],
    buckets: LATENCY_BUCKETS,
  },
  http_refusals_total: {
    kind: "counter",
    help: "Refused and failed requests by error code.",
    labels: ["code", "protocol"],
  },

  signups_total: { kind: "counter", help: "Accounts created.", labels: [] },
  logins_total: { kind: "counter", help: "Sessions started by password.", labels: [] },
  login_failures_total: { kind: "counter", help: "Logins refused, by error code.", labels: ["reason"] },
  orders_placed_total: { kind: "counter", help: "Orders placed.", labels: ["currency"] },
  order_status_changes_total: {
    kind: "counter",
    help: "Orders that entered a status after they were placed.",
    labels: ["status"],
  },
  revenue_minor_total: {
    kind: "counter",
    help: "Money of orders paid, in minor units.",
    labels: ["currency"],
  },
  refunds_minor_total: {
    kind: "counter",
    help: "Money of orders refunded, in minor units.",
    labels: ["currency"],
  },

  events_committed_total: { kind: "counter", help: "Events written to the log, by type.", labels: ["type"] },
  consumer_attempts_total: {
    kind: "counter",
    help: "Messages handled by a consumer: done, retried later, dead, or skipped because settled already.",
    labels: ["consumer", "outcome"],
  },
  consumer_attempt_duration_seconds: {
    kind: "histogram",
    unit: "seconds",
    help: "Time that a consumer took for a message, done or not.",
    labels: ["consumer"],
    buckets: LATENCY_BUCKETS,
  },
  outbox_pending_deliveries: {
    kind: "gauge",
    help: "Deliveries not settled yet, counted up to 10000.",
    labels: ["consumer"],
  },
  outbox_lag_seconds: {
    kind: "gauge",
    unit: "seconds",
    help: "For how long the oldest unsettled delivery could have been made.",
    labels: ["consumer"],
  },
  dead_letters_open: {
    kind: "gauge",
    help: "Dead letters that nobody has replayed or discarded, counted up to 10000.",
    labels: ["consumer"],
  },
  queue_sends_total: { kind: "counter", help: "Calls to queues.", labels: ["work"] },
  mails_total: { kind: "counter", help: "Mails given to the mail service.", labels: ["outcome"] },

  cache_reads_total: {
    kind: "counter",
    help: "Where a user came from: memory, kv, miss, or stale-refused for a client that asked for a newer state.",
    labels: ["outcome"],
  },
  kv_operations_total: { kind: "counter", help: "Calls to KV.", labels: ["operation"] },
  kv_failures_total: { kind: "counter", help: "Calls to KV that failed or were late.", labels: [] },

  limiter_admissions_total: {
    kind: "counter",
    help: "Decisions by who made them: lease, object, shield, or isolate for those without the object (fail-open).",
    labels: ["decided_by", "outcome"],
  },
  durable_object_calls_total: {
    kind: "counter",
    help: "Calls to the objects of the limiter.",
    labels: ["work"],
  },

  d1_round_trips_total: { kind: "counter", help: "Calls to D1: a batch is one.", labels: ["work"] },
  d1_statements_total: { kind: "counter", help: "Statements that D1 ran.", labels: ["work"] },
  d1_rows_read_total: { kind: "counter", help: "Rows that D1 read.", labels: ["work"] },
  d1_rows_written_total: {
    kind: "counter",
    help: "Rows that D1 wrote, those of indexes too.",
    labels: ["work"],
  },

  cron_runs_total: { kind: "counter", help: "Tasks of the cron.", labels: ["task", "outcome"] },
  dependency_up: {
    kind: "gauge",
    help: "1 when a dependency answered at this scrape.",
    labels: ["dependency"],
  },
  metrics_flush_failures_total: {
    kind: "counter",
    help: "Batches of metrics that their shard did not take at once; they are sent again.",
    labels: [],
  },
  metrics_series_dropped_total: {
    kind: "counter",
    help: "Recordings left out because an isolate held too many series.",
    labels: [],
  },
} as const satisfies MetricCatalogue;

/** What asked for the work: a request before or after its answer, a batch of messages, or the cron. */
export type Work = "request" | "after_response" | "queue" | "cron";
