/** What the users service refuses with. */
import { refuse } from "../../kernel/errors";

export function refuseEmailTaken() {
  return refuse("email_taken", "An account with this address exists.", {
    violations: [
      { pointer: "#/email", code: "email_taken", message: "An account with this address exists." },
    ],
  });
}
