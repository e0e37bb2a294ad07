/** Sets a new password by the link of a mail. */
import { closeForm, onSubmit, present, say, takeToken } from "./one-time-link.js";

const token = takeToken();
const password = document.querySelector("#password");
const shown = document.querySelector("#shown");

shown.addEventListener("change", () => {
  password.type = shown.checked ? "text" : "password";
});

if (token === null) {
  say("This link lacks its token. Open it from the mail again.", "bad");
} else {
  onSubmit(async () => {
    const { isDone, isOver, message } = await present("/api/auth/password/reset", {
      token,
      password: password.value,
    });
    password.setAttribute("aria-invalid", String(!isDone && !isOver));
    if (isOver) {
      password.value = "";
      closeForm();
    }
    if (isDone)
      say("Your password is changed, and you are logged out everywhere. Log in with the new one.", "good");
    else if (isOver) say(`${message} Ask for a new one where you log in.`, "bad");
    else {
      say(message, "bad");
      password.focus();
    }
  });
}
