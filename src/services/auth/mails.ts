/**
 * Whom to write to after an event of an account, and with which token. The words are the gateway's. Each of these may
 * be asked again for the same event and gives the same answer.
 */

import { emailKey } from "../../kernel/email-key";
import type { CloudEvent } from "../../kernel/event";
import type { Credential, User } from "../users";
import type { AuthDependencies } from "./auth-dependencies";
import type { Purpose } from "./model";
import { oneTimeTokenFor, oneTimeTokenOf } from "./one-time-tokens";

export interface Recipient {
  readonly name: string;
  readonly email: string;
}

export interface TokenMail {
  readonly to: Recipient;
  readonly token: string;
}

/** Mails to an address that its asker may not own: so many in a quarter of an hour, and no more. */
const CONFIRMATIONS_MAX = 5;
const CONFIRMATIONS_WINDOW_MS = 900_000;

type Dependencies = Pick<
  AuthDependencies,
  "database" | "oneTimeTokens" | "credentials" | "deriver" | "scope"
>;

export class AccountMails {
  readonly #on: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#on = dependencies;
  }

  /** To the user as it is now; null when it is gone. **Cost**: 1 D1 round trip. */
  async recipientOf(event: CloudEvent): Promise<Recipient | null> {
    const credential = await this.#find(event.subject);
    return credential === null ? null : recipient(credential);
  }

  /** The token that `password.reset_requested` stored; null when the user is gone. **Cost**: 1 D1 round trip. */
  async passwordReset(event: CloudEvent): Promise<TokenMail | null> {
    const to = await this.recipientOf(event);
    return to === null
      ? null
      : { to, token: await oneTimeTokenOf(this.#on.deriver, "password_reset", event.id) };
  }

  /**
   * A token that proves the user's own address. Null token: it is proven already; null: the user is gone.
   * **Cost**: 2 D1 round trips.
   */
  async emailVerification(event: CloudEvent): Promise<{ to: Recipient; token: string | null } | null> {
    const credential = await this.#find(event.subject);
    if (credential === null) return null;
    const to = recipient(credential);
    if (credential.user.emailVerified) return { to, token: null };
    return { to, token: await this.#store(event, credential.user.email, "email_verification") };
  }

  /**
   * After `email.change_requested`: a token to the new address; or, when somebody has it, a word to that somebody.
   * Null when the request was withdrawn or replaced, or when too many were made.
   * **Cost**: 3 D1 round trips.
   */
  async emailChange(
    event: CloudEvent,
  ): Promise<({ kind: "confirm" } & TokenMail) | { kind: "taken"; to: Recipient } | null> {
    const { database, credentials } = this.#on;
    const owner = await this.#ownerOfChange(event);
    const pending = owner?.pendingEmail ?? null;
    if (owner === null || pending === null || pending !== textOf(event, "email")) return null;
    const {
      rows: [holders],
    } = await database.read("primary", [credentials.selectByEmail(emailKey(pending))]);
    // Stored for a taken address too, though mailed to nobody: it is what the next requests are counted by.
    const token = await this.#store(event, pending, "email_change");
    const holder = credentials.credentialOf(holders);
    if (holder !== null) return { kind: "taken", to: recipient(holder) };
    return { kind: "confirm", to: { name: owner.name, email: pending }, token };
  }

  /**
   * After `email.change_requested`: the owner, at the address that the account had then, for the new one may be proven
   * by now. Null for a request that was withdrawn or replaced, and when too many were made: the address may be that of
   * somebody who never had to do with the account. **Cost**: 1 D1 round trip.
   */
  async emailChangeNotice(event: CloudEvent): Promise<Recipient | null> {
    const owner = await this.#ownerOfChange(event);
    const wanted = textOf(event, "email");
    const former = textOf(event, "currentEmail");
    const isOfConcern = owner !== null && (owner.pendingEmail === wanted || owner.email === wanted);
    return isOfConcern && former !== null ? { name: owner.name, email: former } : null;
  }

  /** Who asked for a change of address; null when the user is gone or asked too often. */
  async #ownerOfChange(event: CloudEvent): Promise<User | null> {
    const { database, credentials, oneTimeTokens, scope } = this.#on;
    const {
      rows: [owners, recent],
    } = await database.read("primary", [
      credentials.selectById(event.subject),
      oneTimeTokens.since(event.subject, "email_change", scope.clock() - CONFIRMATIONS_WINDOW_MS),
    ]);
    const others = recent.filter((row) => row.id !== event.id);
    return others.length >= CONFIRMATIONS_MAX ? null : (credentials.credentialOf(owners)?.user ?? null);
  }

  async #find(userId: string): Promise<Credential | null> {
    const { database, credentials } = this.#on;
    const {
      rows: [rows],
    } = await database.read("primary", [credentials.selectById(userId)]);
    return credentials.credentialOf(rows);
  }

  /** Stored before it is mailed, and dated by its event: a late repetition voids nothing newer. */
  async #store(event: CloudEvent, address: string, purpose: Purpose): Promise<string> {
    const { database, oneTimeTokens, deriver } = this.#on;
    const { token, row } = await oneTimeTokenFor(deriver, {
      eventId: event.id,
      userId: event.subject,
      purpose,
      addressKey: emailKey(address),
      at: Date.parse(event.time),
    });
    await database.commit([oneTimeTokens.voidOlder(row), oneTimeTokens.insert(row)]);
    return token;
  }
}

function recipient({ user }: Credential): Recipient {
  return { name: user.name, email: user.email };
}

/** A member of the data of an event of the users service. */
function textOf({ data }: CloudEvent, member: "email" | "currentEmail"): string | null {
  const text = typeof data === "object" && data !== null ? Reflect.get(data, member) : null;
  return typeof text === "string" ? text : null;
}
