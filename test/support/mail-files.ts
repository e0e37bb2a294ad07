/** Mails of servers on this machine: each is a file, whoever sent it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";

const FOLDER = ".wrangler/tmp/email";
const ARRIVAL_WITHIN_MS = 25_000;

/**
 * The token of the link in a mail, once it has come: mails come by queue.
 *
 * @param name of the person, who is the only one of that name
 * @param page that the link leads to
 */
export async function mailedToken(name: string, page: string): Promise<string> {
  const pattern = new RegExp(`^Hello ${name},[^]*/${page}\\?token=([\\w-]+)`);
  return await vi.waitFor(
    () => {
      for (const text of mailTexts()) {
        const token = pattern.exec(text)?.[1];
        if (token !== undefined) return token;
      }
      throw new Error(`no mail to ${name} that leads to /${page}`);
    },
    { timeout: ARRIVAL_WITHIN_MS, interval: 250 },
  );
}

function mailTexts(): string[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER)
    .map((session) => join(FOLDER, session, "email-text"))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8")));
}
