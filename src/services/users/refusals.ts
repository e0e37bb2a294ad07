/** What the users service says no with. */
import { refuse, refuseInvalid } from "../../kernel/errors";

export function refuseCursor() {
  return refuseInvalid({
    pointer: "#/query/cursor",
    code: "invalid_cursor",
    message: "This cursor was not given out for this list, sort and filter.",
  });
}

export function refuseStale() {
  return refuse(
    "precondition_failed",
    "The user has another version than `If-Match` names. Nothing was changed.",
  );
}

export function refuseEmailTaken() {
  return refuse("email_taken", "An account with this address exists.", {
    violations: [
      { pointer: "#/email", code: "email_taken", message: "An account with this address exists." },
    ],
  });
}
