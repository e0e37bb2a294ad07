/** W3C Trace Context. Source: www.w3.org/TR/trace-context, section 3.2. */
import { drawRandom } from "../clock";

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/** Our own span in the caller's trace or, when the caller's header is absent or malformed, in a new one. */
export function continueTrace(header: string | undefined): string {
  const match = TRACEPARENT.exec(header ?? "");
  const traceId = match?.[1] ?? drawRandom(16).toHex();
  return `00-${traceId}-${drawRandom(8).toHex()}-${match?.[2] ?? "01"}`;
}

/** Of a traceparent of ours. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}
