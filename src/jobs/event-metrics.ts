/**
 * The business in numbers. Most are events that were committed, so that they are the same for every protocol and count
 * a change once, whatever is repeated.
 */
import type { CommittedEvent } from "../platform/outbox";
import type { Metrics } from "../services/operations/metrics/isolate-metrics";
import { isEventType } from "./event-catalogue";

export function recordEvent(metrics: Metrics, { type, data }: CommittedEvent): void {
  if (!isEventType(type)) return;
  metrics.count("events_committed_total", { type });
  if (type === "user.created") metrics.count("signups_total", {});
  const order = orderIn(data);
  if (order === null) return;
  const { status, currency, totalMinor } = order;
  if (type === "order.placed") metrics.count("orders_placed_total", { currency });
  else metrics.count("order_status_changes_total", { status });
  if (type === "order.paid") metrics.count("revenue_minor_total", { currency }, totalMinor);
  if (type === "order.refunded") metrics.count("refunds_minor_total", { currency }, totalMinor);
}

interface OrderFigures {
  readonly status: string;
  readonly currency: string;
  readonly totalMinor: number;
}

/** The orders' events tell their figures; others have none. */
function orderIn(data: object): OrderFigures | null {
  const { status, currency, totalMinor } = data as Partial<Record<keyof OrderFigures, unknown>>;
  const isOrder =
    typeof status === "string" && typeof currency === "string" && typeof totalMinor === "number";
  return isOrder ? { status, currency, totalMinor } : null;
}
