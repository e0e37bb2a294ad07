/**
 * Which build this code is. `scripts/build.mjs` writes the constant into the bundle, so no variable can switch a deployed
 * Worker into development.
 */
declare const BUILD_TARGET: "development" | "deployment" | undefined;

/**
 * `development` is what `wrangler dev` serves and `deployment` what is uploaded. `test` is code that no build has touched,
 * as in vitest: it logs like a deployment and may be served from this machine.
 */
export type BuildTarget = "development" | "deployment" | "test";

export const buildTarget: BuildTarget = typeof BUILD_TARGET === "undefined" ? "test" : BUILD_TARGET;
