/** `npm run admin -- <email>`: makes that user an admin. `--help` lists the flags. */
import { randomBytes } from "node:crypto";
import { readArguments } from "./arguments.mjs";
import { executeBatch } from "./database.mjs";
import { ensureDependencies, ensureMigrations, runMain } from "./prepare.mjs";

const { values, operands } = readArguments({
  command: "npm run admin",
  operands: ["<email>"],
  flags: {
    remote: { says: "in the deployed database, where the address must be confirmed" },
    unverified: { says: "accepts an address that its owner has not confirmed" },
    "persist-to": { takes: "<folder>", says: "the local storage that the server was started with" },
  },
});

await runMain(async () => {
  const [email = ""] = operands;
  const { remote: isRemote = false, unverified: allowsUnverified = false, "persist-to": persistTo } = values;
  if (!/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email) || email.length > 320)
    throw new Error(`${JSON.stringify(email)} is not an email address`);
  if (isRemote && persistTo !== undefined)
    throw new Error("--persist-to is for local storage, without --remote");
  await ensureDependencies();
  if (!isRemote) await ensureMigrations(persistTo);
  // Needs packages, so it is loaded when they are there.
  const { promote } = await import("./promotion.mjs");

  const at = Date.now();
  const where = isRemote ? "the deployed database" : (persistTo ?? "the local database");
  const { id, isChanged, isVerified, madeAt } = await promote(
    (sql) => executeBatch(sql, { isRemote, persistTo }),
    { email, isRemote, allowsUnverified, where },
    { at, eventId: uuidV7(at), updateId: uuidV7(at), requestId: uuidV7(at) },
  );
  const line = isChanged ? "is an admin now" : "was an admin already";
  process.stdout.write(`${email} (${id}) ${line}. The account was made on ${madeAt}.\n`);
  if (!isVerified && !allowsUnverified)
    process.stderr.write("Warning: this address is not confirmed, so anyone may have signed up with it.\n");
  if (isChanged) {
    process.stdout.write(
      "Log in again or refresh the session: tokens issued before still carry the old role.\n",
    );
  }
  return 0;
});

/** Source: RFC 9562, section 5.7. */
function uuidV7(epochMs) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(epochMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
