/** The models of the auth service. */

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
