/** What the services of authentication of one request are made of, for tests that replace some of it. */
import type { Config } from "../../src/platform/env";
import type { Scope } from "../../src/platform/scope";
import type { AuthServices } from "../../src/services/auth";
import { foundationsOf } from "../../src/wiring";

export function authDependencies(env: Env, config: Config, scope: Scope): AuthServices {
  return foundationsOf({ env, config, scope }).auth;
}
