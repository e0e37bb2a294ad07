/** Variables of a wrong form, before a server or a deployment is started with them. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readConfiguration } from "../../scripts/deploy/configuration.mjs";
import { collect, nodeBinary, toolEnvironment } from "../../scripts/tools.mjs";
import { checkDeployedVariables, checkLocalVariables } from "../../scripts/variables.mjs";
import { VARIABLE_FORMS } from "../../src/platform/variable-forms";
import { copyProject } from "../support/project-copy";
import { TEST_SECRETS } from "../support/secrets";

const CONFIG = readConfiguration(readFileSync("wrangler.toml", "utf8"));
/** Without their private parts. */
const PUBLIC_KEYS = TEST_SECRETS.JWT_SIGNING_KEYS.replaceAll(/,"d":"[^"]*"/g, "");
const SECRETS = new Map(Object.entries(TEST_SECRETS));

describe("npm start", () => {
  const copy = copyProject();
  afterAll(() => copy.remove());

  test.each(Object.keys(TEST_SECRETS))(
    "with %s of a wrong form ends with its form, and starts nothing",
    async (name) => {
      const vars = { ...TEST_SECRETS, [name]: name === "JWT_SIGNING_KEYS" ? PUBLIC_KEYS : "short" };
      const text = Object.entries(vars).map(([key, value]) => `${key}='${value}'\n`);
      writeFileSync(join(copy.folder, ".dev.vars"), text.join(""));
      const { code, output } = await collect(
        spawn(nodeBinary(), [join(copy.folder, "scripts/start.mjs"), "--port", "0"], {
          cwd: copy.folder,
          env: toolEnvironment(),
          stdio: ["ignore", "pipe", "pipe"],
        }),
      );
      const form = VARIABLE_FORMS[name as keyof typeof VARIABLE_FORMS];
      expect([code, output]).toEqual([1, expect.stringContaining(`  ${name}: expected ${form}`)]);
      expect(output).toMatch(new RegExp(`^The configuration is not valid: ${name}\n[^\n]+\n$`));
      expect(output).not.toContain("short");
    },
  );
});

test("a variable of wrangler.toml and one of --var are checked too", async () => {
  const config = { ...CONFIG, vars: { ...CONFIG.vars, RATE_LIMIT_MAX: "plenty" } };
  await expect(checkLocalVariables(SECRETS, config)).rejects.toThrow(
    'RATE_LIMIT_MAX: expected a whole number from 1 to 1000000000; got "plenty"',
  );
  expect(await checkLocalVariables(SECRETS, config, { RATE_LIMIT_MAX: "5" })).toEqual([]);
  await expect(checkLocalVariables(SECRETS, CONFIG, { LOG_LEVEL: "loud" })).rejects.toThrow('got "loud"');
});

describe("a deployment", () => {
  const withVars = (vars: object, required = CONFIG.secrets.required) => ({
    ...CONFIG,
    vars: { ...CONFIG.vars, ...vars },
    secrets: { required },
  });

  test("stops on a variable of a wrong form", async () => {
    await expect(checkDeployedVariables(withVars({ CORS_ORIGINS: "app.acme.com" }))).rejects.toThrow(
      /^The configuration is not valid: CORS_ORIGINS\n {2}CORS_ORIGINS: expected .*; got "app\.acme\.com"$/,
    );
    expect(await checkDeployedVariables(CONFIG)).toEqual([]);
  });

  test("names a variable that is close to a known one, and leaves others alone", async () => {
    const vars = { MAIL_FORM: "Acme <a@acme.com>", ACME_REGION: "eu" };
    expect(await checkDeployedVariables(withVars(vars))).toEqual([
      "Warning: variable MAIL_FORM: did you mean MAIL_FROM?",
    ]);
  });

  test("with a secret that this project cannot make is left to the Worker", async () => {
    const config = withVars({ LOG_LEVEL: "loud", LOG_LEVLE: "info" }, ["ACME_TOKEN"]);
    expect(await checkDeployedVariables(config)).toEqual([
      "Warning: variable LOG_LEVLE: did you mean LOG_LEVEL?",
    ]);
  });

  test("is checked by npm run deploy", () => {
    expect(readFileSync("scripts/deploy.mjs", "utf8")).toContain("await checkDeployedVariables(config)");
  });
});
