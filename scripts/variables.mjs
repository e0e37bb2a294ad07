/**
 * Checks variables with the Worker's own schema, `src/platform/env.ts`, before a server or a deployment is started. Needs
 * the installed packages. **Cost**: a tenth of a second, for the schema is TypeScript.
 */
import { loadTypeScript } from "./load-typescript.mjs";
import { canMake, newSecret } from "./prepare.mjs";

const SOURCE = `
  export { readConfig } from "./src/platform/env";
  export { misspeltVariables } from "./src/platform/config-advice";
  export { VARIABLE_FORMS } from "./src/platform/variable-forms";`;

/**
 * Checks the variables of a local server.
 *
 * @param {ReadonlyMap<string, string>} devVars what `.dev.vars` sets
 * @param {Record<string, any>} config the parsed `wrangler.toml`
 * @param {Readonly<Record<string, string>>} [given] what `--var` sets
 * @returns {Promise<string[]>} a warning for each name of `.dev.vars` that wrangler leaves out, as it does with those that
 *   `wrangler.toml` does not name
 * **Errors**: names each variable that has a wrong form, with the form; of a secret the value is not shown
 */
export async function checkLocalVariables(devVars, config, given = {}) {
  const { readConfig, misspeltVariables, VARIABLE_FORMS } = await loadTypeScript(SOURCE);
  const read = [...Object.keys(config.vars ?? {}), ...(config.secrets?.required ?? [])];
  const kept = [...devVars].filter(([name]) => read.includes(name));
  refuseInvalid(readConfig, { ...config.vars, ...Object.fromEntries(kept), ...given });
  const known = [...new Set([...read, ...Object.keys(VARIABLE_FORMS)])];
  return [...devVars.keys()]
    .filter((name) => !read.includes(name))
    .map((name) => {
      const [misspelt] = misspeltVariables({ [name]: "" }, known);
      return `Warning: .dev.vars: ${name} is not read: ${reason(name, { misspelt, isKnown: known.includes(name) })}`;
    });
}

function reason(name, { misspelt, isKnown }) {
  if (isKnown) return `set ${name} in [vars] of wrangler.toml`;
  return misspelt === undefined
    ? "wrangler.toml names it neither in [vars] nor as a secret"
    : `did you mean ${misspelt.meant}?`;
}

/**
 * Checks the variables that a deployment sets. Fresh secrets take the place of the deployed ones, which cannot be read.
 * Beside a secret that this project cannot make, forms are left to the Worker.
 *
 * @param {Record<string, any>} config
 * @returns {Promise<string[]>} a warning for each variable with a name that is close to a known one
 * **Errors**: names each variable that has a wrong form, with the form
 */
export async function checkDeployedVariables(config) {
  const { readConfig, misspeltVariables, VARIABLE_FORMS } = await loadTypeScript(SOURCE);
  const secrets = config.secrets?.required ?? [];
  if (secrets.every(canMake)) {
    const standIns = secrets.map((name) => [name, newSecret(name)]);
    refuseInvalid(readConfig, { ...config.vars, ...Object.fromEntries(standIns) });
  }
  return misspeltVariables(config.vars ?? {}, Object.keys(VARIABLE_FORMS)).map(
    ({ variable, meant }) => `Warning: variable ${variable}: did you mean ${meant}?`,
  );
}

function refuseInvalid(readConfig, env) {
  try {
    readConfig(env, "development");
  } catch (error) {
    throw new Error(`The ${error.message}`);
  }
}
