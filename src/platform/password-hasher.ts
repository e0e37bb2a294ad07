/**
 * Password hashes: scrypt in a self-describing PHC string, `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`.
 *
 * One hash holds its isolate for about 150 ms: the runtime computes it on the isolate's only thread, `async` or not.
 * So a hash waits its turn behind a timer, and at most `HASHES_MAX` wait or run at once; one more is refused at once
 * rather than left to pile up behind the others.
 */
import { scrypt, timingSafeEqual } from "node:crypto";
import type { Clock } from "../kernel/clock";
import { AppError } from "../kernel/errors";
import { randomBytes } from "./clock";
import { kept } from "./isolate";

/** What an attacker with the table pays per guess. Source: OWASP Password Storage Cheat Sheet, scrypt; 16 MiB. */
export interface ScryptParameters {
  /** Binary logarithm of the cost N. */
  readonly logN: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

export const SCRYPT_PARAMETERS: ScryptParameters = { logN: 14, blockSize: 8, parallelization: 5 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Hashes that wait or run in one isolate: the last of them answers after about 600 ms. */
export const HASHES_MAX = 4;
/** A request that the runtime cancels never reaches its `finally`; its slot is taken back after this long. */
const SLOT_MAX_MS = 10_000;

export interface PasswordCheck {
  readonly isMatch: boolean;
  /** The password is right, and its stored hash was made with other parameters: store a new one. */
  readonly needsRehash: boolean;
}

export class PasswordHasher {
  readonly #clock: Clock;
  readonly #slots: HashSlots;
  readonly #parameters: ScryptParameters;

  constructor(
    clock: Clock,
    slots: HashSlots = isolateSlots(),
    parameters: ScryptParameters = SCRYPT_PARAMETERS,
  ) {
    this.#clock = clock;
    this.#slots = slots;
    this.#parameters = parameters;
  }

  /**
   * @param password any length; compared in Unicode NFKC, so that it matches however a keyboard composes it
   * **Errors**: `unavailable` with `Retry-After` when the isolate hashes its maximum already.
   */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return formatPhc({
      parameters: this.#parameters,
      salt,
      hash: await this.#derive(password, salt, this.#parameters),
    });
  }

  /**
   * @param stored PHC string; null for an account that does not exist or has no password, which costs the same work
   *   and never matches
   * **Errors**: `unavailable` as for `hash`; a stored string that is not ours is a bug and throws.
   */
  async verify(password: string, stored: string | null): Promise<PasswordCheck> {
    const { parameters, salt, hash } = stored === null ? this.#decoy() : parsePhc(stored);
    const derived = await this.#derive(password, salt, parameters);
    const isMatch = timingSafeEqual(derived, hash) && stored !== null;
    return { isMatch, needsRehash: isMatch && !isSameCost(parameters, this.#parameters) };
  }

  #decoy(): PhcHash {
    return {
      parameters: this.#parameters,
      salt: new Uint8Array(SALT_BYTES),
      hash: new Uint8Array(HASH_BYTES),
    };
  }

  async #derive(password: string, salt: Uint8Array, parameters: ScryptParameters): Promise<Uint8Array> {
    const slot = this.#slots.take(this.#clock());
    if (slot === null) {
      throw new AppError("unavailable", "too many password hashes at once", { retryAfterSeconds: 1 });
    }
    try {
      await nextTurn();
      return await runScrypt(password.normalize("NFKC"), salt, parameters);
    } finally {
      this.#slots.give(slot);
    }
  }
}

/** How many hashes an isolate has in hand. Plain values: nothing here belongs to one request. */
export class HashSlots {
  readonly #max: number;
  readonly #taken = new Map<number, number>();
  #next = 0;

  constructor(max: number = HASHES_MAX) {
    this.#max = max;
  }

  /** A slot to give back, or null when all are taken. */
  take(nowMs: number): number | null {
    for (const [slot, sinceMs] of this.#taken) {
      if (nowMs - sinceMs > SLOT_MAX_MS) this.#taken.delete(slot);
    }
    if (this.#taken.size >= this.#max) return null;
    this.#next += 1;
    this.#taken.set(this.#next, nowMs);
    return this.#next;
  }

  give(slot: number): void {
    this.#taken.delete(slot);
  }
}

const isolateSlots = kept(() => new HashSlots());

interface PhcHash {
  readonly parameters: ScryptParameters;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,64})\$([A-Za-z0-9+/]{43})$/;

/** Source: github.com/P-H-C/phc-string-format; base64 without padding. */
function formatPhc({ parameters, salt, hash }: PhcHash): string {
  const { logN, blockSize, parallelization } = parameters;
  return `$scrypt$ln=${logN},r=${blockSize},p=${parallelization}$${toBase64(salt)}$${toBase64(hash)}`;
}

function parsePhc(text: string): PhcHash {
  const [, logN, blockSize, parallelization, salt, hash] = PHC.exec(text) ?? [];
  if (salt === undefined || hash === undefined)
    throw new TypeError("stored password hash is not a scrypt PHC string");
  return {
    parameters: {
      logN: Number(logN),
      blockSize: Number(blockSize),
      parallelization: Number(parallelization),
    },
    salt: Uint8Array.fromBase64(salt),
    hash: Uint8Array.fromBase64(hash),
  };
}

function toBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}

function isSameCost(a: ScryptParameters, b: ScryptParameters): boolean {
  return a.logN === b.logN && a.blockSize === b.blockSize && a.parallelization === b.parallelization;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function runScrypt(password: string, salt: Uint8Array, parameters: ScryptParameters): Promise<Uint8Array> {
  const { logN, blockSize, parallelization } = parameters;
  // The default ceiling of 32 MiB is tight for 16 MiB plus working blocks.
  const options = { N: 2 ** logN, r: blockSize, p: parallelization, maxmem: 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(new AppError("internal", "scrypt failed", { cause: error }));
    });
  });
}
