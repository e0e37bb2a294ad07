/** `npm run admin -- <email> [--remote] [--persist-to dir]`: makes that user an admin. */
import { randomBytes } from "node:crypto";
import { promoteStatements } from "./admin-statements.mjs";
import { ensureDependencies, ensureMigrations, runMain } from "./prepare.mjs";
import { flagValue, runTool } from "./tools.mjs";

const USAGE = "usage: npm run admin -- <email> [--remote] [--persist-to dir]";

await runMain(async () => {
  const { email, isRemote, persistTo } = readArguments(process.argv.slice(2));
  await ensureDependencies();
  if (!isRemote) await ensureMigrations(persistTo);

  const at = Date.now();
  const sql = promoteStatements({ email, at, eventId: uuidV7(at), requestId: uuidV7(at) });
  const [user] = await execute(sql, isRemote, persistTo);
  if (user === undefined) {
    const where = isRemote ? "the deployed database" : (persistTo ?? "the local database");
    throw new Error(`Nobody in ${where} has the address ${email}. Sign up first, then run this again.`);
  }
  const line = user.changed === 1 ? "is an admin now" : "was an admin already";
  process.stdout.write(`${email} (${user.id}) ${line}.\n`);
  if (user.changed === 1) {
    process.stdout.write(
      "Log in again or refresh the session: tokens issued before still carry the old role.\n",
    );
  }
  return 0;
});

function readArguments(args) {
  const persistTo = flagValue(args, "persist-to");
  const isRemote = args.includes("--remote");
  const emails = args.filter(
    (argument, index) => !argument.startsWith("-") && args[index - 1] !== "--persist-to",
  );
  const [email] = emails;
  const isAddress =
    email !== undefined && /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email) && email.length <= 320;
  if (emails.length !== 1 || !isAddress) throw new Error(USAGE);
  if (isRemote && persistTo !== undefined) throw new Error(`--persist-to is for local storage\n${USAGE}`);
  return { email, isRemote, persistTo };
}

/** Runs the statements as one batch and answers with the rows of the last. */
async function execute(sql, isRemote, persistTo) {
  const { code, stdout, output } = await runTool("wrangler", [
    ...["d1", "execute", "DB", "--json", isRemote ? "--remote" : "--local"],
    ...(persistTo === undefined ? [] : ["--persist-to", persistTo]),
    ...["--command", sql],
  ]);
  if (code !== 0) throw new Error(`the database refused\n${output}`);
  const results = JSON.parse(stdout.slice(stdout.indexOf("[")));
  return results.at(-1).results;
}

/** Source: RFC 9562, section 5.7. */
function uuidV7(epochMs) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(epochMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
