/**
 * The rules that the Worker's own cron judges, for those without Prometheus: a few of those in ops/prometheus, with the
 * same names and the same entries in docs/runbook.md.
 */
import type { Finding, Sample } from "../../platform/observability/alerts";
import type { ConsumerFigure, Figure } from "./figures";

/** What has happened since a number of minutes ago; since the first sample when the record is younger. */
type Since = (figure: Figure | ConsumerFigure, minutes: number) => number;
type Now = (figure: Figure) => number;

interface History {
  /** Consumers of ours that have ever tried anything. */
  readonly consumers: readonly string[];
  /** Whether it reaches back so far. */
  readonly isOlderThan: (minutes: number) => boolean;
}

interface Rule {
  readonly alert: string;
  readonly minutes: number;
  readonly judge: (since: Since, now: Now, history: History) => string | null;
}

/** Of answers that may fail, and that may be slow. As in ops/prometheus/alerts.yml. */
const ERROR_BUDGET = 0.001;
const SLOW_BUDGET = 0.01;
/** Windows in minutes: the long one says that it matters, the short one that it goes on. */
const FAST = { rate: 14.4, long: 60, short: 5 } as const;
const SLOW = { rate: 6, long: 360, short: 30 } as const;
const DAY = 1_440;
/** Fewer answers than this say nothing. */
const ANSWERS_MIN = 50;

const RULES: readonly Rule[] = [
  {
    alert: "AvailabilityBurnFast",
    minutes: 2,
    judge: (since) =>
      burns(since, ["errors", "requests"], ERROR_BUDGET, FAST)
        ? `${ratio(since, "errors", "requests")} of answers are 5xx.`
        : null,
  },
  {
    alert: "AvailabilityBurnSlow",
    minutes: 15,
    judge: (since) =>
      burns(since, ["errors", "requests"], ERROR_BUDGET, SLOW)
        ? `${ratio(since, "errors", "requests", SLOW.long)} of answers of six hours were 5xx.`
        : null,
  },
  {
    alert: "LatencyBurnFast",
    minutes: 2,
    judge: (since) =>
      burns(since, ["slowRequests", "timedRequests"], SLOW_BUDGET, FAST)
        ? `${ratio(since, "slowRequests", "timedRequests")} of answers take over 500 ms.`
        : null,
  },
  {
    alert: "LatencyBurnSlow",
    minutes: 15,
    judge: (since) =>
      burns(since, ["slowRequests", "timedRequests"], SLOW_BUDGET, SLOW)
        ? `${ratio(since, "slowRequests", "timedRequests", SLOW.long)} of answers of six hours took over 500 ms.`
        : null,
  },
  {
    alert: "OutboxLag",
    minutes: 2,
    judge: (_, now) =>
      now("lagSeconds") > 300 ? `A consumer is ${Math.round(now("lagSeconds"))} s behind.` : null,
  },
  {
    alert: "DeadLetters",
    minutes: 1,
    judge: (since, now) =>
      since("dead", 10) > 0 ? `Events were given up; ${now("deadLettersOpen")} dead letters are open.` : null,
  },
  {
    alert: "ConsumerFailing",
    minutes: 2,
    judge: (since, _, { consumers }) => {
      const failing = consumers.filter(
        (name) => since(`failures of ${name}`, 5) > 0.5 * since(`attempts of ${name}`, 5),
      );
      return failing.length > 0 ? `Most attempts fail of ${failing.join(", ")}.` : null;
    },
  },
  {
    alert: "LimiterFailOpen",
    minutes: 1,
    judge: (since) =>
      since("failOpen", 5) > 0
        ? `${since("failOpen", 5)} requests were admitted without the limiter's objects.`
        : null,
  },
  {
    alert: "CacheFailing",
    minutes: 5,
    judge: (since) =>
      since("kvFailures", 5) > 0.05 * since("kvOperations", 5)
        ? `${ratio(since, "kvFailures", "kvOperations")} of calls to KV fail.`
        : null,
  },
  {
    alert: "DependencyDown",
    minutes: 2,
    judge: (_, now) => {
      const names = { isD1Down: "D1", isKvDown: "KV", isLimiterDown: "the limiter's objects" } as const;
      const down = Object.entries(names).flatMap(([figure, name]) =>
        now(figure as keyof typeof names) > 0 ? [name] : [],
      );
      return down.length > 0 ? `${down.join(" and ")} did not answer.` : null;
    },
  },
  {
    alert: "LoginFailures",
    minutes: 5,
    judge: (since) => {
      const wrong = since("wrongLogins", 10);
      const isMost = wrong > 0.7 * (wrong + since("logins", 10));
      return wrong > 300 && isMost ? `${wrong} logins failed in ten minutes, most of all.` : null;
    },
  },
  {
    alert: "NoSignups",
    minutes: 10,
    judge: (since, _, { isOlderThan }) => {
      const yesterday = since("signups", DAY + 120) - since("signups", DAY);
      return isOlderThan(DAY + 120) && since("signups", 120) === 0 && yesterday > 10
        ? `Nobody has signed up for two hours; yesterday at this time ${yesterday} did.`
        : null;
    },
  },
  {
    alert: "CronSilent",
    minutes: 5,
    judge: (since, _, { isOlderThan }) =>
      isOlderThan(10) && since("sweeps", 10) === 0
        ? "The sweep of the outbox has not run to its end for ten minutes."
        : null,
  },
];

const ATTEMPTS_OF = "attempts of ";

/** What each rule says of these samples, the newest last. */
export function judgeRules(samples: readonly Sample[]): Finding[] {
  const latest = samples.at(-1);
  const now: Now = (figure) => latest?.figures[figure] ?? 0;
  const since: Since = (figure, minutes) => {
    const latestValue = latest?.figures[figure] ?? 0;
    const then = (sampleOf(samples, minutes) ?? samples[0])?.figures;
    // A consumer that nobody had heard of had tried nothing; a figure of a newer version had not been kept.
    const unknown = figure.startsWith(ATTEMPTS_OF) || figure.startsWith("failures of ") ? 0 : latestValue;
    return latestValue - (then?.[figure] ?? unknown);
  };
  const history: History = {
    consumers: Object.keys(latest?.figures ?? {}).flatMap((name) =>
      name.startsWith(ATTEMPTS_OF) ? [name.slice(ATTEMPTS_OF.length)] : [],
    ),
    isOlderThan: (minutes) => sampleOf(samples, minutes) !== undefined,
  };
  return RULES.map(({ alert, minutes, judge }) => ({ alert, minutes, summary: judge(since, now, history) }));
}

/** The newest sample that is so old. Ticks jitter by some seconds. */
function sampleOf(samples: readonly Sample[], minutes: number): Sample | undefined {
  const until = (samples.at(-1)?.atMs ?? 0) - minutes * 60_000 + 15_000;
  return samples.findLast(({ atMs }) => atMs <= until);
}

function burns(
  since: Since,
  [bad, all]: readonly [Figure, Figure],
  budget: number,
  { rate, long, short }: typeof FAST | typeof SLOW,
): boolean {
  return [long, short].every(
    (minutes) =>
      since(all, minutes) >= ANSWERS_MIN && since(bad, minutes) > rate * budget * since(all, minutes),
  );
}

function ratio(since: Since, part: Figure, whole: Figure, minutes = 5): string {
  return `${Math.round((1000 * since(part, minutes)) / Math.max(1, since(whole, minutes))) / 10} %`;
}
