/** What the pages behind the links of mails share: the token out of the address, and one call with it. */

/**
 * Takes the token out of the address bar, so that neither history, nor a screenshot, nor a bookmark keeps it.
 *
 * @returns {string | null}
 */
export function takeToken() {
  const token = new URLSearchParams(location.search).get("token");
  history.replaceState(null, "", location.pathname);
  return token;
}

/**
 * @param {string} path of the API
 * @param {object} body with the token
 * @returns {Promise<{isDone: boolean, isOver: boolean, message: string}>} `isOver`: the link is of no more use
 */
export async function present(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    return { isDone: false, isOver: false, message: "No answer came. Check your connection and try again." };
  }
  if (response.ok) return { isDone: true, isOver: true, message: "" };
  const problem = await response.json().catch(() => ({}));
  return { isDone: false, isOver: problem.code === "token_invalid", message: explain(problem, response) };
}

function explain(problem, response) {
  switch (problem.code) {
    case "token_invalid":
      return "This link is not valid: it was used before, is too old, or was not copied whole.";
    case "rate_limited": {
      const minutes = Math.max(1, Math.ceil(Number(response.headers.get("Retry-After") ?? 60) / 60));
      return `There were too many attempts. Try again in ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`;
    }
    case "validation_failed":
      return wordsFor(problem.errors?.find(({ pointer }) => pointer === "#/password"));
    default:
      return "That did not work just now. Try again in a moment.";
  }
}

/** What is wrong with a password; any other violation is of the token. */
function wordsFor(violation) {
  switch (violation?.code) {
    case undefined:
      return "This link is not valid: it was not copied whole.";
    case "too_short":
      return "The password is too short.";
    case "too_long":
      return "The password is too long.";
    case "too_common":
      return "This password is among those that are guessed first. Choose another.";
    case "is_identity":
      return "The password must differ from your name and your address.";
    default:
      return "This password cannot be used. Choose another.";
  }
}

/**
 * Says what happened, aloud too.
 *
 * @param {string} message
 * @param {"good" | "bad"} kind
 */
export function say(message, kind) {
  const outcome = document.querySelector("#outcome");
  outcome.className = kind;
  outcome.textContent = message;
}

/**
 * Runs a form's work once at a time.
 *
 * @param {() => Promise<void>} work
 */
export function onSubmit(work) {
  const form = document.querySelector("form");
  const button = form.querySelector("button[type=submit]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // Not `disabled`, which would take the focus away.
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    say("", "good");
    await work();
    button.removeAttribute("aria-disabled");
  });
}

/** The form has done what it can: what was said stays, and is where the reader is. */
export function closeForm() {
  document.querySelector("form").hidden = true;
  document.querySelector("#outcome").focus();
}
