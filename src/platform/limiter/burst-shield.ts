/**
 * The burst shield: the platform's own rate limiting binding in front of asks to the objects. It is per location and
 * approximate, so it decides nothing about the limit; it keeps one client from drowning its object, and strangers from
 * creating objects without end. It guards budgets whose counts are rows too: there it spares D1's one writer.
 */
import type { Logger } from "../observability/logger";
import { UNKNOWN_CLIENT } from "./client-key";

/** Whether an object of this name, or rows of it, may be asked now. */
export type Shield = (objectName: string) => Promise<boolean>;

/** The binding's period: who is refused may come again after it. */
export const SHIELD_SECONDS = 10;

interface ShieldBindings {
  /** Asks for each object. */
  readonly ASK_SHIELD: RateLimit;
  /** Asks for all objects of strangers in this location. */
  readonly STRANGER_SHIELD: RateLimit;
}

/** A binding that fails is logged and lets pass: what it protects has a deadline of its own. */
export function shieldOf(env: ShieldBindings, log: Logger): Shield {
  const isWithin = async (binding: RateLimit, key: string): Promise<boolean> => {
    try {
      return (await binding.limit({ key })).success;
    } catch (error) {
      log.log("warn", "limiter.shield_failed", { error });
      return true;
    }
  };
  return async (objectName) => {
    // An empty key would put everybody into one bucket.
    const own = isWithin(env.ASK_SHIELD, objectName || UNKNOWN_CLIENT);
    const strangers = isStranger(objectName) ? isWithin(env.STRANGER_SHIELD, "strangers") : true;
    return (await own) && (await strangers);
  };
}

/** True for every key but a verified user's: the caller chooses the names of exact budgets' objects. */
function isStranger(objectName: string): boolean {
  return !objectName.startsWith("user:");
}
