/** Alerts without a monitoring system: decided each minute, kept in one object. */
import type { AlertBook } from "./alert-decision";
import type { AlertKeeper } from "./alert-keeper";

/** Where the book lies. */
export interface AlertShelf {
  read(): Promise<AlertBook>;
  /** False when another has written meanwhile. */
  write(book: AlertBook): Promise<boolean>;
}

export function alertShelf(bindings: { readonly ALERTS: DurableObjectNamespace<AlertKeeper> }): AlertShelf {
  // A fresh stub each time: one that failed stays broken.
  const keeper = () => bindings.ALERTS.getByName("alerts");
  return {
    read: async () => await keeper().read(),
    write: async (book) => await keeper().write(book),
  };
}

export {
  decideAlerts,
  type Finding,
  type Notice,
  type Sample,
  withoutSent,
  withSample,
} from "./alert-decision";
