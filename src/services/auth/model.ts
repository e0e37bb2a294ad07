/** What the auth service speaks of. */

export type EndReason =
  | "logout"
  | "revoked"
  | "logout_all"
  | "password_changed"
  | "password_reset"
  | "reuse"
  | "replaced";

/** A login, as stored. Times in epoch milliseconds. */
export interface SessionRow {
  readonly id: string;
  readonly userId: string;
  readonly device: string;
  readonly location: string | null;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
  readonly endReason: EndReason | null;
}

export type NewSession = Pick<
  SessionRow,
  "id" | "userId" | "device" | "location" | "createdAt" | "expiresAt"
>;

/** A session as its owner sees it. */
export interface Session {
  readonly id: string;
  /** Whether the call that asks belongs to it. */
  readonly isCurrent: boolean;
  readonly device: string;
  readonly location: string | null;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
}

/** Where a condition of one batch stands for "this writer did it". */
export interface Mark {
  readonly eventId: string;
}

/** What a one-time token is good for, and nothing else. */
export type Purpose = "password_reset" | "email_verification" | "email_change";

export interface OneTimeTokenRow {
  readonly id: string;
  readonly digest: string;
  readonly userId: string;
  readonly purpose: Purpose;
  readonly addressKey: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export type NewOneTimeToken = OneTimeTokenRow;

/** What a login or a refresh answers. */
export interface TokenPair {
  readonly accessToken: string;
  readonly tokenType: "Bearer";
  /** Seconds that the access token lives. */
  readonly expiresIn: number;
  readonly refreshToken: string;
}
