/** The browser of the machine, for tests of pages. */
import { existsSync } from "node:fs";

const BROWSERS = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** Says so when there is none: the tests are skipped then. */
export function browserPath(): string | undefined {
  const path = BROWSERS.find((candidate) => candidate !== undefined && existsSync(candidate));
  if (path === undefined) {
    console.warn("Skipped: no browser. Install Debian's chromium, or say in CHROMIUM where one is.");
  }
  return path;
}
