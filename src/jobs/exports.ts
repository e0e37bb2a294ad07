/** `EVENT_EXPORTS`: queues of other teams as consumers of the events that they want. */
import { AppError } from "../kernel/errors";
import type { EventExport } from "../platform/env";

/** Under which the outbox knows a queue. Stored with each delivery: never change it. */
export function exportNameOf(queue: string): string {
  return `export:${queue}`;
}

/**
 * The bindings by consumer name.
 * **Errors**: `unavailable` when an entry names no queue binding of this Worker.
 */
export function exportQueues(env: object, exports: readonly EventExport[]): ReadonlyMap<string, Queue> {
  const bindings: Readonly<Record<string, unknown>> = { ...env };
  return new Map(
    exports.map(({ queue }) => {
      const binding = bindings[queue];
      if (!isQueue(binding))
        throw new AppError("unavailable", `EVENT_EXPORTS names no queue binding: ${queue}`);
      return [exportNameOf(queue), binding] as const;
    }),
  );
}

/** The exports that want an event of this type. */
export function exportsOf(type: string, exports: readonly EventExport[]): readonly string[] {
  return exports
    .filter(({ types }) => types.includes("*") || types.includes(type))
    .map(({ queue }) => exportNameOf(queue));
}

function isQueue(binding: unknown): binding is Queue {
  return typeof binding === "object" && binding !== null && "sendBatch" in binding;
}
