/** Tools that a machine may have. */
import { spawnSync } from "node:child_process";

/** Whether a command runs and succeeds. */
export function isInstalled(command: string, args: readonly string[] = ["--version"]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
