/**
 * From what holds this minute to what somebody must be told: a pure function, so that every path can be tested.
 *
 * ```
 *           holds `minutes` in a row            told once
 *   quiet ----------------------------> firing ----------> notice "firing"
 *     ^                                    |
 *     +------------------------------------+  holds not, CLEAR_MINUTES in a row: notice "resolved"
 * ```
 */

/** Figures of one minute: sums that only rise, and gauges. */
export interface Sample {
  readonly atMs: number;
  readonly figures: Readonly<Record<string, number>>;
}

/** What a rule says of the samples: null when nothing is wrong, or a sentence for an operator. */
export interface Finding {
  readonly alert: string;
  readonly summary: string | null;
  /** For how many ticks in a row before somebody is told. */
  readonly minutes: number;
}

export interface Notice {
  /** The same however often it is sent. */
  readonly id: string;
  readonly alert: string;
  readonly status: "firing" | "resolved";
  readonly summary: string;
  readonly sinceMs: number;
  readonly atMs: number;
}

interface AlertState {
  readonly holdsTicks: number;
  readonly quietTicks: number;
  /** Null while quiet. */
  readonly firingSinceMs: number | null;
  readonly summary: string;
}

export interface AlertBook {
  /** Rises with each change: who writes names the one that it read. */
  readonly revision: number;
  /** Oldest first. */
  readonly samples: readonly Sample[];
  readonly alerts: Readonly<Record<string, AlertState>>;
  /** To be sent, until somebody says that they were. */
  readonly unsent: readonly Notice[];
}

export const EMPTY_BOOK: AlertBook = { revision: 0, samples: [], alerts: {}, unsent: [] };

/** An hour and a little, at one a minute; before that one in a quarter of an hour, until this time yesterday. */
const DENSE_MS = 65 * 60_000;
const SPARSE_STEP_MS = 15 * 60_000;
const SAMPLES_AGE_MAX_MS = 26.5 * 3_600_000;
const SAMPLES_MAX = 65 + 107;
const CLEAR_MINUTES = 3;
/** Past it the oldest goes: who could not be reached for so long has enough to read. */
const UNSENT_MAX = 50;
const QUIET: AlertState = { holdsTicks: 0, quietTicks: 0, firingSinceMs: null, summary: "" };

/** The samples with this minute's, thinned out with age. One from a clock ahead of ours is no past. */
export function withSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const isRecent = ({ atMs }: Sample) => atMs < sample.atMs && sample.atMs - atMs <= SAMPLES_AGE_MAX_MS;
  const stepOf = ({ atMs }: Sample) => Math.floor(atMs / SPARSE_STEP_MS);
  const recent = samples.filter(isRecent);
  const kept = recent.filter((each, index) => {
    const before = recent[index - 1];
    const isFirstOfStep = before === undefined || stepOf(before) !== stepOf(each);
    return isFirstOfStep || sample.atMs - each.atMs <= DENSE_MS;
  });
  return [...kept, sample].slice(-SAMPLES_MAX);
}

/** The book after this minute's findings. An alert that no rule speaks of any more is resolved. */
export function decideAlerts(book: AlertBook, sample: Sample, findings: readonly Finding[]): AlertBook {
  const byName = new Map(findings.map((finding) => [finding.alert, finding]));
  const names = new Set([...byName.keys(), ...Object.keys(book.alerts)]);
  const alerts: Record<string, AlertState> = {};
  const notices: Notice[] = [];
  for (const name of names) {
    const before = book.alerts[name] ?? QUIET;
    const after = step(before, byName.get(name), sample.atMs);
    if (byName.has(name) || after.firingSinceMs !== null) alerts[name] = after;
    const notice = noticeOf(name, before, after, sample.atMs);
    if (notice !== null) notices.push(notice);
  }
  return {
    revision: book.revision + 1,
    samples: withSample(book.samples, sample),
    alerts,
    unsent: [...book.unsent, ...notices].slice(-UNSENT_MAX),
  };
}

/** The book once these were sent. */
export function withoutSent(book: AlertBook, sent: readonly Notice[]): AlertBook {
  const ids = new Set(sent.map(({ id }) => id));
  return {
    ...book,
    revision: book.revision + 1,
    unsent: book.unsent.filter(({ id }) => !ids.has(id)),
  };
}

function step(before: AlertState, finding: Finding | undefined, atMs: number): AlertState {
  const summary = finding?.summary ?? null;
  if (summary === null || finding === undefined) {
    const quietTicks = before.quietTicks + 1;
    const isOver = before.firingSinceMs === null || quietTicks >= CLEAR_MINUTES;
    return { ...before, holdsTicks: 0, quietTicks, firingSinceMs: isOver ? null : before.firingSinceMs };
  }
  const holdsTicks = before.holdsTicks + 1;
  const isFiring = before.firingSinceMs !== null || holdsTicks >= finding.minutes;
  return {
    holdsTicks,
    quietTicks: 0,
    firingSinceMs: isFiring ? (before.firingSinceMs ?? atMs) : null,
    summary,
  };
}

function noticeOf(alert: string, before: AlertState, after: AlertState, atMs: number): Notice | null {
  const wasFiring = before.firingSinceMs;
  if (wasFiring === null && after.firingSinceMs !== null) {
    const id = `${alert}:${atMs}:firing`;
    return { id, alert, status: "firing", summary: after.summary, sinceMs: atMs, atMs };
  }
  if (wasFiring !== null && after.firingSinceMs === null) {
    const id = `${alert}:${wasFiring}:resolved`;
    return { id, alert, status: "resolved", summary: before.summary, sinceMs: wasFiring, atMs };
  }
  return null;
}
