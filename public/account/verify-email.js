/** Proves an address. By a click, for programs that look at mails open links, and would prove it in nobody's name. */
import { closeForm, onSubmit, present, say, takeToken } from "./one-time-link.js";

const token = takeToken();

if (token === null) {
  say("This link lacks its token. Open it from the mail again.", "bad");
} else {
  onSubmit(async () => {
    const { isDone, isOver, message } = await present("/api/auth/email/verify", { token });
    if (isDone) say("Thank you: this address is confirmed. You can close this page.", "good");
    else if (isOver) say(`${message} Log in and ask for a new one.`, "bad");
    else say(message, "bad");
    if (isOver) closeForm();
  });
}
