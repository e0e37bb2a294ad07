/** The alert rules, judged by Prometheus' own tool (`apt-get install prometheus`). Without it this is skipped. */
import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { collect } from "../../../scripts/tools.mjs";
import { isInstalled } from "../../support/prometheus/installed";

/** The unit tests hold days of samples, which promtool computes on one core for half a minute. */
const TIMEOUT_MS = 240_000;

test.skipIf(!isInstalled("promtool")).each([
  ["are well formed", ["check", "rules", "ops/prometheus/alerts.yml"]],
  ["pass their unit tests", ["test", "rules", "ops/prometheus/alerts.test.yml"]],
])(
  "the alert rules %s",
  async (_, args) => {
    const { code, output } = await collect(spawn("promtool", args, { stdio: ["ignore", "pipe", "pipe"] }));
    expect(code, output).toBe(0);
  },
  TIMEOUT_MS,
);
