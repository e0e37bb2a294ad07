/**
 * Where the links of our mails lead: `/verify-email?token=` and `/reset-password?token=`. The page itself does nothing with
 * the token, and neither logs nor repeats it; its script takes it out of the address bar and hands it to the API on a
 * click. A team with pages of its own under the same paths lets `PUBLIC_URL` lead there.
 */
import { html } from "hono/html";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../../../kernel/password-policy";
import { type Content, page } from "../../page";

export function verifyEmailPage(): Content {
  return mailPage({
    title: "Confirm your address",
    script: "/account/verify-email.js",
    form: html`<form hidden>
      <p class="lead">One click, and Meridian knows that this address is yours.</p>
      <button type="submit">Confirm this address</button>
    </form>`,
  });
}

export function resetPasswordPage(): Content {
  return mailPage({
    title: "Choose a new password",
    script: "/account/reset-password.js",
    form: html`<form hidden>
      <p class="lead">It replaces the old one, and logs you out everywhere.</p>
      <label for="password">New password</label>
      <input
        id="password"
        type="password"
        autocomplete="new-password"
        required
        minlength="${PASSWORD_LENGTH_MIN}"
        maxlength="${PASSWORD_LENGTH_MAX}"
        aria-describedby="rule"
      />
      <p id="rule" class="hint">At least ${PASSWORD_LENGTH_MIN} characters, any you like: four words are good.</p>
      <p class="choice"><input id="shown" type="checkbox" /> <label for="shown">Show the password</label></p>
      <button type="submit">Change the password</button>
    </form>`,
  });
}

function mailPage({ title, script, form }: { title: string; script: string; form: Content }): Content {
  return page({
    title: `${title} · Meridian`,
    head: html`<meta name="robots" content="noindex" />
      <script type="module" src="${script}"></script>`,
    body: html`<main class="narrow">
      <p class="brand">Meridian</p>
      <h1>${title}</h1>
      ${form}
      <p id="outcome" role="status" tabindex="-1"></p>
      <noscript><p>This page needs scripts: it hands the token of your link to the API.</p></noscript>
    </main>`,
  });
}
