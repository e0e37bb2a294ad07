/**
 * How long a login takes for a known and for an unknown address, and the same of `password/forgot`:
 * `npx node bench/login-timing.mjs`. The calls alternate, so that whatever slows the machine slows both, and each address is
 * used as often as the other, so that the objects of its budgets are as warm. Prints medians and how far they are apart;
 * asserts nothing, for figures depend on the machine.
 */
import { createTestHarness } from "wrangler";
import { TEST_SECRETS } from "../test/support/secrets.ts";

const CALLS = 50;
const REST_MS = 150;
const PASSWORD = "correct horse battery staple";
const ample = { limit: 100_000, windowSeconds: 900 };
const names = ["loginPerAccount", "loginPerIp", "signUpPerIp", "forgotPerAccount", "forgotPerIp"];

const server = createTestHarness({
  workers: [
    {
      configPath: "./wrangler.toml",
      secrets: {
        ...TEST_SECRETS,
        LOG_LEVEL: "error",
        RATE_LIMIT_MAX: "1000000",
        AUTH_BUDGETS: JSON.stringify(Object.fromEntries(names.map((name) => [name, ample]))),
      },
    },
  ],
});
await server.listen();
await server.getWorker().applyD1Migrations("DB");

try {
  await post("/api/users", { name: "Ada Lovelace", email: "known@example.com", password: PASSWORD });
  const guess = "a guess of a password";
  await compare("login", 401, (email) => post("/api/auth/login", { email, password: guess }));
  await compare("forgot", 202, (email) => post("/api/auth/password/forgot", { email }));
} finally {
  await server.close();
}

async function compare(what, status, call) {
  const known = [];
  const unknown = [];
  for (let index = -5; index < CALLS; index += 1) {
    // The first few warm up the server and are not counted.
    const first = await time(status, () => call("known@example.com"));
    const second = await time(status, () => call("nobody@example.com"));
    if (index < 0) continue;
    known.push(first);
    unknown.push(second);
  }
  const [a, b] = [median(known), median(unknown)];
  const apart = (100 * Math.abs(a - b)) / Math.min(a, b);
  console.log(
    `${what}: known ${a.toFixed(1)} ms, unknown ${b.toFixed(1)} ms, ${apart.toFixed(1)} % apart (medians of ${CALLS})`,
  );
}

async function time(status, call) {
  const start = performance.now();
  const answer = await call();
  await answer.arrayBuffer();
  const elapsed = performance.now() - start;
  if (answer.status !== status) throw new Error(`answered ${answer.status}, not ${status}`);
  // What follows an answer (an event's delivery, its mail) is over before the next call is timed.
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  return elapsed;
}

function post(path, json) {
  return server.fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "CF-Connecting-IP": "203.0.113.5" },
    body: JSON.stringify(json),
  });
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
