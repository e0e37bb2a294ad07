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

/** The same object, with a span `<name>.<method>` around each call of these methods. */
export function traced<T extends object>(name: string, target: T, methods: readonly (keyof T & string)[]): T {
  const spans: ReadonlySet<string> = new Set(methods);
  return new Proxy(target, {
    get(object, property) {
      const member: unknown = Reflect.get(object, property, object);
      if (typeof member !== "function") return member;
      // On the object itself, for a proxy has none of its private fields.
      const call = (...args: unknown[]): unknown => Reflect.apply(member, object, args);
      if (typeof property !== "string" || !spans.has(property)) return call;
      return (...args: unknown[]) => inSpan(`${name}.${property}`, {}, () => call(...args));
    },
  });
}

/** The methods of a class, its constructor excluded: for `traced`. */
export function methodsOf<T extends object>(type: { readonly prototype: T }): readonly (keyof T & string)[] {
  const names = Object.getOwnPropertyNames(type.prototype).filter((name) => name !== "constructor");
  return names as (keyof T & string)[];
}
