/**
 * Which passwords are accepted: long, not common, not one's own name or address. No rules of composition, no
 * truncation, any character. Source: NIST SP 800-63B, section 3.1.1.2.
 */
import { isCommonPassword } from "./common-passwords";
import type { Violation } from "./errors";
import { codePoints } from "./text";

export const PASSWORD_LENGTH_MIN = 12;
export const PASSWORD_LENGTH_MAX = 128;

export interface PasswordOwner {
  readonly name: string;
  readonly email: string;
}

/**
 * What is wrong with a new password: at most one violation, none when it is accepted.
 *
 * @param owner whose password it is to be; null when that is not known yet
 * @param pointer where the password stood in the input: `#/password`
 */
export function passwordViolations(
  password: string,
  owner: PasswordOwner | null,
  pointer: string,
): readonly Violation[] {
  if (!password.isWellFormed()) return [{ pointer, code: "invalid_text", message: "Must be valid Unicode." }];
  const normal = password.normalize("NFKC");
  const length = codePoints(normal);
  if (length < PASSWORD_LENGTH_MIN) {
    return [{ pointer, code: "too_short", message: `Must have at least ${PASSWORD_LENGTH_MIN} characters.` }];
  }
  if (length > PASSWORD_LENGTH_MAX) {
    return [{ pointer, code: "too_long", message: `Must have at most ${PASSWORD_LENGTH_MAX} characters.` }];
  }
  if (isCommonPassword(normal)) {
    return [{ pointer, code: "too_common", message: "Is among the passwords that are guessed first." }];
  }
  if (owner !== null && isOwnersIdentity(normal, owner)) {
    return [{ pointer, code: "is_identity", message: "Must differ from the name and the address." }];
  }
  return [];
}

/** Spelling does not make it another word: letter case and what stands between the letters are set aside. */
function isOwnersIdentity(password: string, { name, email }: PasswordOwner): boolean {
  const candidate = lettersAndDigits(password);
  const at = email.lastIndexOf("@");
  const identities = [name, email, email.slice(0, Math.max(at, 0))].map(lettersAndDigits);
  return identities.some((identity) => identity !== "" && identity === candidate);
}

function lettersAndDigits(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]/gu, "");
}
