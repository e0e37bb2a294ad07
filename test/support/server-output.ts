/**
 * All that the servers of a test file print, kept and searched for secrets: `server-output-setup.ts` fails the file in
 * whose time one was printed. Whoever starts a server hands its output over here, and every place that starts one does.
 */
import type { ChildProcess } from "node:child_process";
import { createTestHarness } from "wrangler";
import { isLeak } from "./leaks.ts";

const outputs: (() => string)[] = [];

/** Keeps what a process prints from now on. Its streams must be piped. */
export function watchProcess({ stdout, stderr }: ChildProcess): () => string {
  if (stdout === null && stderr === null) throw new Error("the output of a server is not piped");
  let output = "";
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const read = () => output;
  outputs.push(read);
  return read;
}

/** wrangler's server for tests, its log kept over `close`. */
export function testServer(
  ...options: Parameters<typeof createTestHarness>
): ReturnType<typeof createTestHarness> {
  const server = createTestHarness(...options);
  let closed = "";
  const logged = () =>
    server
      .getLogs()
      .map(({ message }) => `${message}\n`)
      .join("");
  const close = server.close.bind(server);
  server.close = async () => {
    closed += logged();
    await close();
  };
  outputs.push(() => (closed === "" ? logged() : closed));
  return server;
}

/** Lines of all outputs so far that tell a secret. */
export function leaksPrinted(): readonly string[] {
  return outputs.flatMap((read) => leaksIn(read()));
}

/** As `leaksPrinted`, of one output, which is searched no more: for who shows that a secret is found. */
export function takeLeaks(read: () => string): readonly string[] {
  outputs.splice(outputs.indexOf(read), 1);
  return leaksIn(read());
}

function leaksIn(output: string): readonly string[] {
  return output
    .replace(MAIL_NOTICE, "")
    .split("\n")
    .filter((line) => isLeak(line.replaceAll(OWN_ADDRESSES, "")));
}

/** What wrangler tells a developer of each mail that was sent: whom to, and in which file it lies. */
const MAIL_NOTICE =
  /^.*send_email binding called with .*:\n(?:(?:(?:From|To|Reply-To|Cc|Bcc|Subject|Headers|Text|HTML|Raw)\b.*)?(?:\n|$))*/gm;

/** The sender that wrangler shows with its table of variables. */
const OWN_ADDRESSES = /\bhello@meridian\.example\b/g;
