/**
 * `npm run judge -- openapi-lint`: Redocly's strictest rules and Spectral's, OWASP's included, over public/openapi.json. Fetches
 * the two linters from the package registry, for several hundred packages are too many to install for everybody.
 * `--fail-severity=warn`: what is not clean fails; each exception is in docs/openapi-waivers.md.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMain } from "../prepare.mjs";
import { exitOf, ROOT, toolEnvironment } from "../tools.mjs";

const REDOCLY = ["--package=@redocly/cli@2.77.0"];
const SPECTRAL = [
  "--package=@stoplight/spectral-cli@6.16.3",
  "--package=@stoplight/spectral-owasp-ruleset@2.0.1",
];

await runMain(async () => {
  const folder = mkdtempSync(join(tmpdir(), "openapi-lint-"));
  try {
    cpSync(join(ROOT, "scripts/openapi-lint"), folder, { recursive: true });
    cpSync(join(ROOT, "public/openapi.json"), join(folder, "openapi.json"));
    const redocly = await npx(folder, REDOCLY, "redocly lint --extends=recommended-strict openapi.json");
    // Spectral looks for its rulesets beside the file that names them.
    const owasp = "npm install --no-save --silent @stoplight/spectral-owasp-ruleset@2.0.1";
    const lint = "spectral lint openapi.json --ruleset=spectral.yaml --fail-severity=warn";
    const spectral = await npx(folder, SPECTRAL, `${owasp} && ${lint}`);
    return redocly === 0 && spectral === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function npx(cwd, packages, command) {
  const options = { cwd, env: toolEnvironment(), stdio: ["ignore", "inherit", "inherit"] };
  const isWindows = process.platform === "win32";
  return await exitOf(
    spawn("npx", ["--yes", ...packages, "--call", isWindows ? `"${command}"` : command], {
      ...options,
      shell: isWindows,
    }),
  );
}
