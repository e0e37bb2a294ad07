/** What a client's tokens must not be any more: the set that rides on each lease, pure. */

export interface RevokedSession {
  /** The tokens' `sid`. */
  readonly id: string;
  /** When the last access token that carries it has expired, in epoch milliseconds; kept until then. */
  readonly expiresAt: number;
}

export interface Revocations {
  /** Tokens of a lower `epoch` are void; 0 when none is. */
  readonly minEpoch: number;
  /** When every token of a lower epoch has expired; null keeps the epoch for good. */
  readonly minEpochExpiresAt: number | null;
  /**
   * When it was raised, in epoch milliseconds; null when that is not known. A token of a lower epoch that was issued
   * since is a riddle: either the change that raises the epoch was never committed, or it was about to be.
   */
  readonly minEpochSince: number | null;
  /** Foreign tokens, which have neither `sid` nor `epoch`, are void when issued before: seconds (`iat`). Kept for good. */
  readonly minIssuedAt: number;
  readonly sessions: readonly RevokedSession[];
}

/** What to add. Absent members change nothing. */
export interface NewRevocations {
  readonly sessionIds?: readonly RevokedSession[];
  readonly minEpoch?: number;
  /** Absent: the epoch is kept for good. (`Limiter.revoke` never leaves it absent.) */
  readonly minEpochExpiresAt?: number;
  readonly minEpochSince?: number;
  readonly minIssuedAt?: number;
}

export const NO_REVOCATIONS: Revocations = {
  minEpoch: 0,
  minEpochExpiresAt: null,
  minEpochSince: null,
  minIssuedAt: 0,
  sessions: [],
};

/**
 * They ride on every grant, so they are bounded. Ending more sessions than this within one token's life is what an
 * epoch is for.
 */
export const REVOKED_SESSIONS_MAX = 2_000;

/** The union: nothing that was revoked is let in again, whatever the order of calls. */
export function addRevocations(known: Revocations, added: NewRevocations): Revocations {
  const sessions = new Map(known.sessions.map((session) => [session.id, session]));
  for (const session of added.sessionIds ?? []) {
    const expiresAt = Math.max(session.expiresAt, sessions.get(session.id)?.expiresAt ?? 0);
    sessions.set(session.id, { id: session.id, expiresAt });
  }
  return {
    ...laterEpoch(known, added),
    minIssuedAt: Math.max(known.minIssuedAt, added.minIssuedAt ?? 0),
    sessions: [...sessions.values()],
  };
}

function laterEpoch(
  known: Revocations,
  added: NewRevocations,
): Pick<Revocations, "minEpoch" | "minEpochExpiresAt" | "minEpochSince"> {
  const minEpoch = added.minEpoch ?? 0;
  const minEpochExpiresAt = added.minEpochExpiresAt ?? null;
  const minEpochSince = added.minEpochSince ?? null;
  if (minEpoch === 0 || minEpoch < known.minEpoch) return known;
  if (minEpoch > known.minEpoch) return { minEpoch, minEpochExpiresAt, minEpochSince };
  const isForGood = minEpochExpiresAt === null || known.minEpochExpiresAt === null;
  return {
    minEpoch,
    minEpochExpiresAt: isForGood ? null : Math.max(minEpochExpiresAt, known.minEpochExpiresAt),
    minEpochSince: earlier(minEpochSince, known.minEpochSince),
  };
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** Without what has outlived every token that it could hit. */
export function pruneRevocations(known: Revocations, nowMs: number): Revocations {
  const isEpochOver = known.minEpochExpiresAt !== null && known.minEpochExpiresAt <= nowMs;
  const isAnyOver = known.sessions.some((session) => session.expiresAt <= nowMs);
  if (!isEpochOver && !isAnyOver) return known;
  return {
    ...known,
    ...(isEpochOver ? { minEpoch: 0, minEpochExpiresAt: null, minEpochSince: null } : {}),
    sessions: known.sessions.filter((session) => session.expiresAt > nowMs),
  };
}

/** A set as an addition to another. */
export function asAddition(known: Revocations): NewRevocations {
  const { minEpoch, minEpochExpiresAt, minEpochSince, minIssuedAt, sessions } = known;
  const expiry = minEpochExpiresAt === null ? {} : { minEpochExpiresAt };
  const since = minEpochSince === null ? {} : { minEpochSince };
  return { sessionIds: sessions, minEpoch, minIssuedAt, ...expiry, ...since };
}

/** When the next of them expires; null when none does. */
export function nextExpiry(known: Revocations): number | null {
  const times = known.sessions.map((session) => session.expiresAt);
  if (known.minEpochExpiresAt !== null) times.push(known.minEpochExpiresAt);
  return times.length === 0 ? null : Math.min(...times);
}

export function isNothingRevoked(known: Revocations): boolean {
  return known.minEpoch === 0 && known.minIssuedAt === 0 && known.sessions.length === 0;
}
