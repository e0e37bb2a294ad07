/**
 * Spans of our own in the runtime's traces, beside those that it makes for each call to a binding.
 * Source: developers.cloudflare.com/workers/observability/traces
 */
import { tracing } from "cloudflare:workers";

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Runs the work in a span. Attributes are seen by operators: names and numbers, nothing of a person. */
export function inSpan<T>(name: string, attributes: SpanAttributes, work: () => T): T {
  return tracing.enterSpan(name, (span) => {
    if (span.isTraced) span.setAttributes({ ...attributes });
    return work();
  });
}
