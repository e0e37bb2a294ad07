/**
 * The rules that the Worker's own cron judges, for those without Prometheus: a few of those in ops/prometheus, with the
 * same names and the same entries in docs/runbook.md.
 */
import type { Finding, Sample } from "../../platform/observability/alerts";
import type { Figure } from "./figures";

/** What has happened since a number of minutes ago; nothing while there is no sample of then. */
type Since = (figure: Figure, minutes: number) => number;
type Now = (figure: Figure) => number;

interface Rule {
  readonly alert: string;
  readonly minutes: number;
  readonly judge: (since: Since, now: Now) => string | null;
}

/** Of answers that may fail, and that may be slow. As in ops/prometheus/alerts.yml. */
const ERROR_BUDGET = 0.001;
const SLOW_BUDGET = 0.01;
const BURN_FAST = 14.4;
/** Fewer answers than this say nothing. */
const ANSWERS_MIN = 50;

const RULES: readonly Rule[] = [
  {
    alert: "AvailabilityBurnFast",
    minutes: 2,
    judge: (since) =>
      burns(since, ["errors", "requests"], ERROR_BUDGET)
        ? `${ratio(since, "errors", "requests")} of answers are 5xx.`
        : null,
  },
  {
    alert: "LatencyBurnFast",
    minutes: 2,
    judge: (since) =>
      burns(since, ["slowRequests", "timedRequests"], SLOW_BUDGET)
        ? `${ratio(since, "slowRequests", "timedRequests")} of answers take over 500 ms.`
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
];

/** What each rule says of these samples, the newest last. */
export function judgeRules(samples: readonly Sample[]): Finding[] {
  const latest = samples.at(-1);
  const now: Now = (figure) => latest?.figures[figure] ?? 0;
  const since: Since = (figure, minutes) =>
    now(figure) - (sampleOf(samples, minutes)?.figures[figure] ?? now(figure));
  return RULES.map(({ alert, minutes, judge }) => ({ alert, minutes, summary: judge(since, now) }));
}

/** The newest sample that is so old or, when the record is younger, the oldest. Ticks jitter by some seconds. */
function sampleOf(samples: readonly Sample[], minutes: number): Sample | undefined {
  const until = (samples.at(-1)?.atMs ?? 0) - minutes * 60_000 + 15_000;
  return samples.findLast(({ atMs }) => atMs <= until) ?? samples[0];
}

/** The long window says that it matters, the short one that it goes on. */
function burns(since: Since, [bad, all]: readonly [Figure, Figure], budget: number): boolean {
  return [60, 5].every(
    (minutes) =>
      since(all, minutes) >= ANSWERS_MIN && since(bad, minutes) > BURN_FAST * budget * since(all, minutes),
  );
}

function ratio(since: Since, part: Figure, whole: Figure): string {
  return `${Math.round((1000 * since(part, 5)) / Math.max(1, since(whole, 5))) / 10} %`;
}
