/** What must not be in anything that is printed: addresses of people, passwords, tokens, keys and hashes. */
import { PLANTED } from "./planted-secrets.ts";
import { TEST_SECRETS } from "./secrets.ts";

const SIGNING_KEY = JSON.parse(TEST_SECRETS.JWT_SIGNING_KEYS).keys[0].d;

/** The password of most people in the tests. */
const COMMON_PASSWORD = "correct horse battery staple";

const PLAIN = [
  ...Object.values(PLANTED),
  COMMON_PASSWORD,
  ...[TEST_SECRETS.METRICS_TOKEN, TEST_SECRETS.EVENTS_TOKEN, TEST_SECRETS.DATA_KEY, SIGNING_KEY],
];

/** A mail address; a JWT; a webhook's secret; a password's hash. */
const SHAPES = [/[\w.+-]+@[\w-]+\.[a-z]{2,}/i, /\beyJ[\w-]{10,}\.[\w-]+/, /whsec_/, /\$?scrypt\$/];

export function isLeak(line: string): boolean {
  return PLAIN.some((secret) => line.includes(secret)) || SHAPES.some((shape) => shape.test(line));
}
