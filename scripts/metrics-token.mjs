/** The bearer token of `/metrics`, for programs that scrape a server on this machine. */
import { join } from "node:path";
import { readVars } from "./dev-vars.mjs";
import { readSecretFile } from "./secret-file.mjs";
import { ROOT } from "./tools.mjs";

/** Returns the token of the environment, else the one in the file that `npm start` writes. **Errors**: when neither is there. */
export function metricsToken() {
  const stored = readSecretFile(join(ROOT, ".dev.vars"));
  const token = process.env.METRICS_TOKEN ?? readVars(stored ?? "").get("METRICS_TOKEN");
  if (token === undefined) throw new Error("METRICS_TOKEN is not known: run npm start once, or set it");
  return token;
}
