/** The mailer, counting. */
import { type Mail, Mailer } from "../../platform/mailer";
import type { Metrics } from "../../services/operations/metrics/isolate-metrics";

export class MeteredMailer extends Mailer {
  readonly #metrics: Metrics;

  constructor(binding: SendEmail, from: string, metrics: Metrics) {
    super(binding, from);
    this.#metrics = metrics;
  }

  override async send(mail: Mail): Promise<void> {
    try {
      await super.send(mail);
    } catch (error) {
      this.#metrics.count("mails_total", { outcome: "failed" });
      throw error;
    }
    this.#metrics.count("mails_total", { outcome: "sent" });
  }
}
