/** How a stranger becomes a user: counted, decided and made in one batch. Why so: docs/decisions/0044. */
import { ANONYMOUS } from "../../kernel/actor";
import { done, type Outcome, refuse } from "../../kernel/errors";
import type { CountedAttempt, CountedBudget } from "../../platform/attempt-counts";
import type { Database } from "../../platform/database";
import type { Attempt } from "../../platform/idempotency";
import type { Scope } from "../../platform/scope";
import type { ChangeJournal } from "./change-journal";
import { newUser } from "./changes";
import type { User } from "./model";
import type { Passwords } from "./ports";
import { refuseEmailTaken } from "./refusals";
import { changedBy, type UserRepository } from "./repository";
import type { SignUpInput } from "./schemas";

export interface SignUpDependencies {
  readonly database: Database;
  readonly repository: UserRepository;
  /** What an address may spend. */
  readonly signUps: Pick<CountedBudget, "begin">;
  readonly passwords: Passwords;
  readonly scope: Scope;
}

export class SignUp {
  readonly #on: SignUpDependencies;
  readonly #journal: ChangeJournal;

  constructor(dependencies: SignUpDependencies, journal: ChangeJournal) {
    this.#on = dependencies;
    this.#journal = journal;
  }

  /** **Errors and cost**: as `UserService.signUp`. */
  async run(input: SignUpInput, attempt: Attempt<User>): Promise<Outcome<User>> {
    const { database, passwords, scope, signUps } = this.#on;
    const password = input.password ?? null;
    const violations = password === null ? [] : passwords.violationsOf(password, input);
    if (violations.length > 0)
      return refuse("validation_failed", "The password is not acceptable.", { violations });
    const { ended } = await attempt.open(database, []);
    if (ended !== null) return ended;
    // After the key: a replay spends nothing.
    const counted = await signUps.begin(scope.caller?.address ?? null);
    if (!counted.ok) return counted;
    const deciding = this.#decide(input, counted.value, attempt);
    // Whoever hangs up is charged all the same: a password was hashed.
    scope.waitUntil(deciding.catch(() => undefined));
    return await deciding;
  }

  /** Charged, decided and made in one batch; what a stranger learns of the address is told only when charged. */
  async #decide(input: SignUpInput, counted: CountedAttempt, attempt: Attempt<User>): Promise<Outcome<User>> {
    const { database, repository, passwords, scope } = this.#on;
    const password = input.password ?? null;
    const passwordHash = password === null ? null : await passwords.hash(password);
    const context = this.#journal.begin(scope.newId());
    const user = newUser(context, input);
    const inserted = repository.insert(user, context, counted.isCharged, passwordHash);
    const answer = await database.commit([
      counted.charge,
      counted.buckets,
      ...inserted,
      ...this.#journal.eventOf("user.created", context),
      this.#journal.audited(ANONYMOUS, "user.sign_up", context),
      ...(await attempt.record(database, user, changedBy(context))),
      ...attempt.release(database),
    ]);
    const charged = counted.judge(answer.of(counted.buckets));
    if (answer.of(inserted[0]).length === 0) return charged.ok ? refuseEmailTaken() : charged;
    this.#journal.settle(context, answer, user);
    return done(user);
  }
}
