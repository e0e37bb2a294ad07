/** The few figures that the rules look at, out of all metrics. */
import { decodeSeriesKey, type Reading } from "../../platform/observability/metrics";
import { METRICS } from "../../services/operations/metrics/catalogue";

export const FIGURES = [
  ...["requests", "errors", "slowRequests", "timedRequests", "dead", "failOpen"],
  ...["kvFailures", "kvOperations", "logins", "wrongLogins", "signups", "sweeps"],
  ...["lagSeconds", "deadLettersOpen", "isD1Down", "isKvDown", "isLimiterDown"],
] as const;
export type Figure = (typeof FIGURES)[number];
/** What consumers of ours tried, and what of it failed. */
export type ConsumerFigure = `attempts of ${string}` | `failures of ${string}`;
export type Figures = Record<Figure, number> & { [name: ConsumerFigure]: number };

/** A bound of the latency histogram: answers above it are slow. */
const SLOW_ABOVE_SECONDS = 0.5;

export function figuresOf(sums: ReadonlyMap<string, number>, readings: readonly Reading[]): Figures {
  const figures = Object.fromEntries(FIGURES.map((name) => [name, 0])) as Figures;
  for (const [key, sum] of sums) {
    const { name, labelValues } = decodeSeriesKey(key);
    for (const figure of figuresIn(name, labelsIn(name, labelValues)))
      figures[figure] = (figures[figure] ?? 0) + sum;
  }
  for (const { name, labels, value } of readings) addReading(figures, name, labels, value);
  return figures;
}

type Labels = Readonly<Record<string, string | undefined>>;

/** Which figures a stored sum counts for. */
function figuresIn(name: string, labels: Labels): readonly (Figure | ConsumerFigure)[] {
  switch (name) {
    case "http_requests_total":
      return labels.status?.startsWith("5") === true ? ["requests", "errors"] : ["requests"];
    case "http_request_duration_seconds":
      return timedFigures(labels);
    case "consumer_attempts_total":
      return attemptFigures(labels);
    case "limiter_admissions_total":
      return labels.decided_by === "isolate" ? ["failOpen"] : [];
    case "kv_failures_total":
      return ["kvFailures"];
    case "kv_operations_total":
      return ["kvOperations"];
    case "logins_total":
      return ["logins"];
    case "login_failures_total":
      return labels.reason === "invalid_credentials" ? ["wrongLogins"] : [];
    case "signups_total":
      return ["signups"];
    case "cron_runs_total":
      return labels.task === "sweep" && labels.outcome === "done" ? ["sweeps"] : [];
    default:
      return [];
  }
}

function attemptFigures({ consumer = "", outcome }: Labels): readonly (Figure | ConsumerFigure)[] {
  const dead: readonly Figure[] = outcome === "dead" ? ["dead"] : [];
  if (isOthers(consumer) || outcome === "skipped") return dead;
  const attempt = `attempts of ${consumer}` as const;
  return outcome === "done" ? [attempt] : [attempt, `failures of ${consumer}`, ...dead];
}

/** Of other people's machines, which may be away for days. */
function isOthers(consumer: string | undefined): boolean {
  return consumer === "webhook" || consumer === "export";
}

function timedFigures({ route, part }: Labels): readonly Figure[] {
  if (part === undefined || !part.startsWith("le ") || route === "/metrics" || route === "/readyz") return [];
  const bound = Number(part.slice(3).replace("+Inf", "Infinity"));
  return bound > SLOW_ABOVE_SECONDS ? ["timedRequests", "slowRequests"] : ["timedRequests"];
}

/** A histogram's bucket comes after its labels, as `part`. */
function labelsIn(name: string, values: readonly string[]): Labels {
  const labels = Object.hasOwn(METRICS, name) ? METRICS[name as keyof typeof METRICS].labels : [];
  return Object.fromEntries([...labels, "part"].map((label, index) => [label, values[index]]));
}

function addReading(figures: Figures, name: string, labels: Labels, value: number): void {
  if (name === "outbox_lag_seconds" && !isOthers(labels.consumer))
    figures.lagSeconds = Math.max(figures.lagSeconds, value);
  if (name === "dead_letters_open") figures.deadLettersOpen += value;
  if (name === "dependency_up" && value === 0) {
    if (labels.dependency === "d1") figures.isD1Down = 1;
    if (labels.dependency === "kv") figures.isKvDown = 1;
    if (labels.dependency === "limiter") figures.isLimiterDown = 1;
  }
}
