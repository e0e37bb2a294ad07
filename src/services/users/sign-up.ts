/** How a stranger becomes a user: counted, decided and made in one batch. Why so: docs/decisions/0044. */
import { ANONYMOUS } from "../../kernel/actor";
import { done, type Outcome, refuse } from "../../kernel/errors";
import type { CountedAttempt, CountedBudget } from "../../platform/attempt-counts";
import type { Call } from "../../platform/call";
import type { ChangeTools } from "../../platform/change-plan";
import { newMark } from "../../platform/mark";
import { newUser } from "./changes";
import { userEvent } from "./events";
import type { Passwords } from "./ports";
import { refuseEmailTaken } from "./refusals";
import { USERS, type UserRepository } from "./repository";
import type { SignUpInput, User } from "./schemas";
import type { UserCache } from "./user-cache";

export interface SignUpDependencies extends ChangeTools {
  readonly repository: UserRepository;
  readonly cache: UserCache;
  /** What an address may spend. */
  readonly signUps: Pick<CountedBudget, "begin">;
  readonly passwords: Passwords;
}

export class SignUp {
  readonly #on: SignUpDependencies;

  constructor(dependencies: SignUpDependencies) {
    this.#on = dependencies;
  }

  /** **Errors and cost**: as `UserService.signUp`. */
  async run(call: Call, input: SignUpInput): Promise<Outcome<User>> {
    const { database, passwords, scope, signUps } = this.#on;
    const password = input.password ?? null;
    const violations = password === null ? [] : passwords.violationsOf(password, input);
    if (violations.length > 0)
      return refuse("validation_failed", "The password is not acceptable.", { violations });
    const { ended } = await call.key.open(database, []);
    if (ended !== null) return ended;
    // After the key: a replay spends nothing.
    const counted = await signUps.begin(scope.caller?.address ?? null);
    if (!counted.ok) return counted;
    const deciding = this.#decide(call, input, counted.value);
    // A caller who hangs up is charged all the same: a password was hashed.
    scope.waitUntil(deciding.catch(() => undefined));
    return await deciding;
  }

  /** Charges, decides and creates in one batch: a stranger learns of the address only when charged. */
  async #decide({ key }: Call, input: SignUpInput, counted: CountedAttempt): Promise<Outcome<User>> {
    const { database, repository, outbox, audit, passwords, scope } = this.#on;
    const password = input.password ?? null;
    const passwordHash = password === null ? null : await passwords.hash(password);
    const mark = newMark(scope, scope.newId());
    const user = newUser(mark.id, input, mark.at);
    const guarded = { guard: USERS.isMarked, values: USERS.valuesOf(mark) };
    const inserted = repository.insert(user, mark, counted.isCharged, passwordHash);
    const answer = await database.commit([
      counted.charge,
      counted.buckets,
      ...inserted,
      ...outbox.record({ ...userEvent("user.created", user), id: mark.changeId, ...guarded }),
      audit.record({ actor: ANONYMOUS, action: "user.sign_up", subject: `user:${user.id}`, ...guarded }),
      ...(await key.record(database, user, USERS.isMarkedBy(mark))),
      ...key.release(database),
    ]);
    const charged = counted.judge(answer.of(counted.buckets));
    if (answer.of(inserted[0]).length === 0) return charged.ok ? refuseEmailTaken() : charged;
    const account = { user, tokenEpoch: 1, lastChangeId: mark.changeId };
    const { bookmark, isFromPrimary } = answer;
    this.#on.cache.written(user.id, { bookmark, isFromPrimary, value: account }, mark.at);
    outbox.relaySoon(answer);
    return done(user);
  }
}
