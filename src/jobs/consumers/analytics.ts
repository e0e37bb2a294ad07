/** Counts sign-ups. */
import type { TransactionalConsumer } from "../../platform/outbox";
import type { AnalyticsService } from "../../services/operations/analytics";

export function analytics(service: AnalyticsService): TransactionalConsumer {
  return { kind: "transactional", prepare: (event) => service.countSignup(event) };
}
