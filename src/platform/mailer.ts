/**
 * Mail through the `send_email` binding. Local development validates nothing and the deployed service refuses late, so
 * everything is checked here.
 */
import { AppError } from "../kernel/errors";
import { utf8 } from "./encoding";

export interface Mail {
  /** One address, without a display name. */
  readonly to: string;
  readonly subject: string;
  /** Both bodies are required: a mail without one is spam to many filters. */
  readonly text: string;
  readonly html: string;
  /**
   * The same for each repetition of one mail: the event's id. It travels as `X-Idempotency-Key`, by which a receiver
   * or a log can tell a repetition; `Message-ID` itself is the platform's, and setting it is refused.
   * Source: developers.cloudflare.com/email-service/reference/headers
   */
  readonly idempotencyKey: string;
}

/** After these codes the same mail may succeed later. Source: developers.cloudflare.com/email-service/api/send-emails/workers-api */
const RETRYABLE: ReadonlySet<string> = new Set([
  "E_RATE_LIMIT_EXCEEDED",
  "E_DAILY_LIMIT_EXCEEDED",
  "E_DELIVERY_FAILED",
  "E_INTERNAL_SERVER_ERROR",
]);

const ADDRESS = /^[^\s<>@,;:"()[\]\\]{1,64}@[^\s<>@,;:"()[\]\\]{1,255}$/u;
const SENDER = /^(?:(?<name>[^<>"\r\n]{1,100}) <(?<address>[^<>\s]+)>|(?<bare>[^<>\s]+))$/;
/** A line break in a header value starts another header. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the point.
const HEADER_UNSAFE = /[\u0000-\u001f\u007f\u2028\u2029]/;
const SUBJECT_BYTES_MAX = 500;
const BODY_BYTES_MAX = 256 * 1024;
const KEY = /^[\w.:-]{1,200}$/;

export class Mailer {
  readonly #binding: SendEmail;
  readonly #from: { readonly name: string; readonly email: string };
  readonly #count: (outcome: "sent" | "failed") => void;

  /**
   * @param from `MAIL_FROM`: `Name <address>` or an address
   * @param count called once for each mail
   */
  constructor(
    binding: SendEmail,
    from: string,
    count: (outcome: "sent" | "failed") => void = () => undefined,
  ) {
    this.#binding = binding;
    this.#count = count;
    this.#from = parseSender(from);
  }

  /**
   * **Errors**: `internal` when the mail is malformed or refused for good; `unavailable` when it may succeed later.
   * Neither names the address.
   */
  async send(mail: Mail): Promise<void> {
    try {
      await this.#handOver(mail);
    } catch (error) {
      this.#count("failed");
      throw error;
    }
    this.#count("sent");
  }

  async #handOver(mail: Mail): Promise<void> {
    const fault = faultOf(mail);
    if (fault !== null) throw new AppError("internal", `mail refused: ${fault}`);
    try {
      await this.#binding.send({
        from: this.#from,
        to: mail.to,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        headers: { "X-Idempotency-Key": mail.idempotencyKey },
      });
    } catch (error) {
      throw toFailure(error);
    }
  }
}

/** What is wrong with it, in words that hold nothing of it. */
function faultOf(mail: Mail): string | null {
  if (!ADDRESS.test(mail.to)) return "recipient is not one address";
  if (mail.subject.trim() === "" || HEADER_UNSAFE.test(mail.subject)) return "subject is not one line";
  if (!mail.subject.isWellFormed() || utf8(mail.subject).length > SUBJECT_BYTES_MAX)
    return "subject is too long";
  if (mail.text.trim() === "" || mail.html.trim() === "") return "a body is missing";
  if (utf8(mail.text).length + utf8(mail.html).length > BODY_BYTES_MAX) return "bodies are too large";
  if (!KEY.test(mail.idempotencyKey)) return "idempotency key is malformed";
  return null;
}

function parseSender(from: string): { name: string; email: string } {
  const groups = SENDER.exec(from)?.groups;
  const email = groups?.address ?? groups?.bare;
  if (email === undefined || !ADDRESS.test(email))
    throw new AppError("unavailable", "MAIL_FROM is not a sender");
  return { name: groups?.name?.trim() ?? "", email };
}

function toFailure(error: unknown): AppError {
  const code = codeOf(error);
  // Without a code it is the connection to the service that failed, not the mail.
  if (code === null || RETRYABLE.has(code)) {
    return new AppError("unavailable", `mail not sent: ${code ?? "no code"}`, { cause: error });
  }
  return new AppError("internal", `mail refused: ${code}`, { cause: error });
}

function codeOf(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" && /^E_[A-Z_]+$/.test(error.code) ? error.code : null;
}
