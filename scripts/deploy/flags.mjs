/** The command line of `npm run deploy`. Node built-ins only: it is read before anything is installed. */

import { durationMs } from "../rollout/duration.mjs";
import { isLocal } from "./routes.mjs";

/** What the system without `--stage` is called in the names of files. */
export const PRODUCTION = "production";

const STAGE = /^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/;

/**
 * Every flag: add one here, and it is read, checked and listed by `--help`.
 *
 * @type {import("../arguments.mjs").Program}
 */
export const DEPLOY = {
  command: "npm run deploy",
  flags: {
    "dry-run": { says: "shows every step and builds; needs no account, no login and no clean git tree" },
    stage: {
      takes: "<name>",
      says: "deploys a second system beside production, with names of its own",
      check: (value) => {
        if (value === PRODUCTION) return "production is deployed without this flag";
        return STAGE.test(value) ? undefined : "a stage has up to 20 lower-case letters, digits and hyphens";
      },
    },
    url: {
      takes: "<https://...>",
      says: "sets PUBLIC_URL; without it the address of the last deployment stays",
      check: (value) =>
        isHttps(value) && !isLocal(value) ? undefined : "an address looks like https://api.example.com",
    },
    gradual: { says: "deploys at 0 % and tests, at 10 % and watches, then at 100 %; or goes back" },
    watch: {
      takes: "<5m>",
      says: "watches for so long at 10 %; 0 goes from the test to 100 %",
      needs: "gradual",
      check: (value) =>
        durationMs(value) === undefined ? "a duration looks like 30s, 5m or 1h, up to 24h; or 0" : undefined,
    },
    dirty: { says: "deploys changes that are not committed, and records that it did" },
  },
};

function isHttps(text) {
  if (!URL.canParse(text)) return false;
  const { protocol, search, hash, username } = new URL(text);
  return protocol === "https:" && search + hash + username === "";
}
