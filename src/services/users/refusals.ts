/** What the users service says no with. */
import { refuse } from "../../kernel/errors";

export function refuseStale() {
  return refuse(
    "precondition_failed",
    "The user has another version than `If-Match` names. Nothing was changed.",
  );
}

/** Others were faster each time; the caller named no version. */
export function refuseBusy() {
  return refuse("unavailable", "The user is being changed by others. Nothing was changed.", {
    retryAfterSeconds: 1,
  });
}

export function refuseEmailTaken() {
  return refuse("email_taken", "An account with this address exists.", {
    violations: [
      { pointer: "#/email", code: "email_taken", message: "An account with this address exists." },
    ],
  });
}
