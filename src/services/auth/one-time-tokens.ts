/**
 * Tokens out of mails. Each is derived from the id of the event that asked for it, so that the mail's consumer can
 * compute it again while the database holds only its digest and the event log holds nothing of it.
 */
import type { Deriver } from "../../platform/deriver";
import type { NewOneTimeToken, Purpose } from "./model";
import { digestOf } from "./refresh-chain";

const HOUR_MS = 3_600_000;

/** How long each is good for. A reset gives the account away, so it is short. */
const LIFE_MS: Readonly<Record<Purpose, number>> = {
  password_reset: HOUR_MS / 2,
  email_verification: 72 * HOUR_MS,
  email_change: 24 * HOUR_MS,
};

export interface TokenRequest {
  /** The event that asked for it. */
  readonly eventId: string;
  readonly userId: string;
  readonly purpose: Purpose;
  /** In lower case. */
  readonly addressKey: string;
  readonly at: number;
}

/** The token to mail, and the row to store. The same request gives the same token. */
export async function oneTimeTokenFor(
  deriver: Deriver,
  { eventId, userId, purpose, addressKey, at }: TokenRequest,
): Promise<{ readonly token: string; readonly row: NewOneTimeToken }> {
  const token = await oneTimeTokenOf(deriver, purpose, eventId);
  const row = {
    id: eventId,
    digest: await digestOf(token),
    userId,
    purpose,
    addressKey,
    createdAt: at,
    expiresAt: at + LIFE_MS[purpose],
  };
  return { token, row };
}

export async function oneTimeTokenOf(deriver: Deriver, purpose: Purpose, eventId: string): Promise<string> {
  return await deriver.derive(`one-time token: ${purpose}`, eventId);
}
