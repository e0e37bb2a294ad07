/**
 * The last line of defence of the log: nobody should hand it an address, a token, a password, a hash or a mail, and
 * when somebody does all the same, it is not written. Fields are judged by their name, and every text by its shape.
 */
import { kept } from "../isolate";

/** A field whose name ends with one of these words holds what must not be read: `passwordHash`, `to_address`, `email`. */
const SECRET_WORDS: ReadonlySet<string> = new Set([
  ...["address", "addresses", "email", "emails", "ip", "phone", "recipient", "to"],
  ...["password", "passwords", "secret", "secrets", "token", "tokens", "key", "jwk", "jwt", "otp"],
  ...["hash", "digest", "salt", "signature", "authorization", "cookie", "credential", "credentials"],
  ...["body", "html", "text", "subject", "bio"],
]);

/** Their client chose them, within bounds, to be found by. */
const PLAIN_NAMES: ReadonlySet<string> = new Set(["requestId", "traceId"]);

const REDACTED = "[redacted]";

/**
 * What gives itself away: a mail address; an `Authorization` value; a JWT; our own prefixed secrets; an IPv4 address;
 * and 40 characters or more of hex or base64, for no id of ours is so long.
 */
const SECRET_SHAPES =
  /[^\s<>"'@,;:()=]{1,64}@[^\s<>"'@,;:()]{1,255}|\b(?:Bearer|Basic) +[\w.~+/=-]+|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|\b(?:whsec|sk|pk)_[\w+/=-]+|\b\d{1,3}(?:\.\d{1,3}){3}\b|[A-Za-z0-9_+-]{40,}={0,2}/g;

/** A replacer for `JSON.stringify`. */
export function redacting(name: string, value: unknown): unknown {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (PLAIN_NAMES.has(name)) return value;
  if (isSecretName(name)) return REDACTED;
  return typeof value === "string" ? redactText(value) : value;
}

/** Longer texts are cut, which also bounds the search. */
const TEXT_LENGTH_MAX = 4_000;
const TELLTALE = /[@ ._]/;

export function redactText(text: string): string {
  // Most are short names of ours; every shape that is shorter than 40 has one of these.
  if (text.length < 40 && !TELLTALE.test(text)) return text;
  return text.slice(0, TEXT_LENGTH_MAX).replace(SECRET_SHAPES, REDACTED);
}

/** Names judged before: they are of our code, so they are few. */
const judged = kept(() => new Map<string, boolean>());
const JUDGED_MAX = 1_000;

function isSecretName(name: string): boolean {
  const known = judged().get(name);
  if (known !== undefined) return known;
  const isSecret = endsInSecretWord(name);
  if (judged().size < JUDGED_MAX) judged().set(name, isSecret);
  return isSecret;
}

function endsInSecretWord(name: string): boolean {
  const lastWord = /[A-Z]?[a-z]+$/.exec(name)?.[0].toLowerCase();
  return SECRET_WORDS.has(lastWord ?? name.toLowerCase());
}
