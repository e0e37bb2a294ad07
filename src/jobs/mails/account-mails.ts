/** Mails that accounts cause: to prove an address, to get back in, and to learn what somebody did. */
import type { CloudEvent } from "../../kernel/event";
import type { ExternalConsumer } from "../../platform/outbox";
import type { Recipient } from "../../services/auth";
import { composeLetter, type Letter, tokenLink } from "./letter";
import type { MailConsumerOptions } from "./welcome-mail";

/** `password.reset_requested`: the link that sets a new password. */
export function passwordResetMail({ mails, mailer, publicUrl }: MailConsumerOptions): ExternalConsumer {
  return letters({ mailer }, async (event) => {
    const mail = await mails.passwordReset(event);
    if (mail === null) return null;
    return {
      to: mail.to,
      subject: "Reset your Meridian password",
      paragraphs: [
        "somebody, we hope you, asked to reset the password of your account. This link is good for 30 minutes and for one use. If it was not you, do nothing: your password stays as it is.",
      ],
      link: tokenLink(publicUrl, "reset-password", mail.token),
    };
  });
}

/** `email.verification_requested`: the link that proves the address. */
export function verificationMail({ mails, mailer, publicUrl }: MailConsumerOptions): ExternalConsumer {
  return letters({ mailer }, async (event) => {
    const mail = await mails.emailVerification(event);
    if (mail === null || mail.token === null) return null;
    return {
      to: mail.to,
      subject: "Confirm your Meridian address",
      paragraphs: ["please confirm that this address is yours:"],
      link: tokenLink(publicUrl, "verify-email", mail.token),
    };
  });
}

/** `email.change_requested`, to the new address: the link that makes it the account's. */
export function emailChangeMail({ mails, mailer, publicUrl }: MailConsumerOptions): ExternalConsumer {
  return letters({ mailer }, async (event) => {
    const mail = await mails.emailChange(event);
    if (mail === null) return null;
    if (mail.kind === "taken") {
      return {
        to: mail.to,
        subject: "Somebody tried to use your address at Meridian",
        paragraphs: [
          "somebody asked to change another account to your address. Nothing was changed, and the other side was not told that your account exists. If it was you: you have an account already, and can reset its password.",
        ],
      };
    }
    return {
      to: mail.to,
      subject: "Confirm your new Meridian address",
      paragraphs: ["please confirm that this address is to be the address of your account:"],
      link: tokenLink(publicUrl, "verify-email", mail.token),
    };
  });
}

/** What its owner is told of, and what to do about it. */
const NOTICES: Readonly<
  Record<string, { readonly subject: string; readonly paragraphs: readonly string[] }>
> = {
  "email.change_requested": {
    subject: "A new address for your Meridian account",
    paragraphs: [
      "somebody, we hope you, asked to give your account another address. It counts as soon as it is confirmed from there. If it was not you: reset your password now, which also drops the request.",
    ],
  },
  "password.changed": {
    subject: "Your Meridian password was changed",
    paragraphs: [
      "the password of your account was changed, and its other sessions were ended. If it was not you: reset your password now.",
    ],
  },
  "session.reuse_detected": {
    subject: "A session of your Meridian account was ended",
    paragraphs: [
      "a login of your account was presented twice, as it happens when it was copied. We ended that session to be safe. Log in again, and if you do not know how this came, change your password.",
    ],
  },
};

/** Tells the owner, at the address that the account has now. */
export function securityNotice({ mails, mailer }: MailConsumerOptions): ExternalConsumer {
  return letters({ mailer }, async (event) => {
    const notice = NOTICES[event.type];
    const to = notice === undefined ? null : await ownerToTell(mails, event);
    return notice === undefined || to === null ? null : { to, ...notice };
  });
}

function ownerToTell(mails: MailConsumerOptions["mails"], event: CloudEvent): Promise<Recipient | null> {
  return event.type === "email.change_requested" ? mails.emailChangeNotice(event) : mails.recipientOf(event);
}

/** Sends the letter that an event calls for, or none. */
function letters(
  { mailer }: Pick<MailConsumerOptions, "mailer">,
  letterFor: (event: CloudEvent) => Promise<Letter | null>,
): ExternalConsumer {
  return {
    kind: "external",
    async act(event) {
      const letter = await letterFor(event);
      if (letter !== null) await mailer.send({ ...composeLetter(letter), idempotencyKey: event.id });
    },
  };
}
