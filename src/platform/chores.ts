/** What the cron does each tick. */
import { describeError, type Logger } from "./observability/logger";

/** Runs one chore after the other; one that fails is logged, and keeps none of the others from running. */
export async function runChores(
  log: Logger,
  chores: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<void> {
  const reports: Record<string, unknown> = {};
  for (const [name, chore] of Object.entries(chores)) {
    try {
      reports[name] = await chore();
    } catch (error) {
      log.log("error", "cron.chore_failed", { chore: name, ...describeError(error) });
    }
  }
  log.log("info", "cron", reports);
}
