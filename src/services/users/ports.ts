/** What the users service needs of those that stand above it. */
import type { Violation } from "../../kernel/errors";

/** What sign-up needs of the auth service, which stands above this one. */
export interface Passwords {
  /** What is wrong with the password for this person; empty when nothing is. */
  violationsOf(
    password: string,
    person: { readonly name: string; readonly email: string },
  ): readonly Violation[];
  /** PHC string. **Errors**: `unavailable` when too many hashes run. */
  hash(password: string): Promise<string>;
}
