/** A gradual rollout, with an account, a site and its traffic played by the test. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { prepare } from "../../scripts/deploy/configuration.mjs";
import { deploy } from "../../scripts/deployment.mjs";
import { gradually } from "../../scripts/rollout.mjs";
import { ADDRESS } from "../support/play-account";
import { NEW, OLD, OTHER, playRollout, problem } from "../support/play-rollout";

const TOML = readFileSync("wrangler.toml", "utf8");
const UNTIL_WATCH = ["NEW 0, OLD 100", "NEW 10, OLD 90"];
const BACK = `Version ${OLD} serves every request again.`;

type Play = ReturnType<typeof playRollout>;

async function rollOut(play: Play, { watchMs = 300_000, objectMigration = "v2" } = {}) {
  const plan = gradually({ worker: "meridian", objectMigration, watchMs, ...play });
  const options = { ...prepare(TOML, {}), config: [], version: ["--tag", "abc"], plan };
  return await deploy(play, options);
}

async function failureOf(play: Play, options: Parameters<typeof rollOut>[1] = {}): Promise<string> {
  const failure = await rollOut(play, options).then(
    () => "it went through",
    ({ message }) => message,
  );
  return String(failure);
}

const commandsOf = ({ ran }: Play) => ran.map((line) => line.split(" ").slice(0, 2).join(" "));

test("a good version gets no request, then a tenth of them, then all; triggers follow", async () => {
  const play = playRollout();
  expect(await rollOut(play)).toBe(ADDRESS);
  expect(play.splits).toEqual([...UNTIL_WATCH, "NEW 100"]);
  const commands = commandsOf(play);
  expect(commands.indexOf("d1 migrations")).toBeLessThan(commands.indexOf("versions upload"));
  expect(commands.at(-1)).toBe("triggers deploy");
  expect(play.ran.some((line) => line.startsWith("deploy "))).toBe(false);
});

test("the uploaded version has the variables, secrets and commit that a deployment at once has", async () => {
  const play = playRollout();
  await rollOut(play);
  const upload = play.ran.find((line) => line.startsWith("versions upload"));
  expect(upload).toContain(`--tag abc --var EVENT_EXPORTS:[] --var PUBLIC_URL:${ADDRESS}`);
  expect(upload).toContain("--secrets-file secrets.json");
});

test("objects adopt the new code at once while it is watched, and the old code when it goes back", async () => {
  const play = playRollout({ figures: (version) => (version === NEW ? { failures: 500 } : {}) });
  await failureOf(play);
  const atOnce = play.ran.filter((line) => line.includes("--durable-objects-code-update-mode immediate"));
  expect(atOnce.map((line) => /^rollback|\b\d+%/.exec(line)?.[0])).toEqual(["10%", "rollback"]);
});

test("--watch 0 goes from the smoke test to all requests, and reads no metrics", async () => {
  const play = playRollout();
  const metricsOf = async () => expect.unreachable();
  expect(await rollOut({ ...play, metricsOf }, { watchMs: 0 })).toBe(ADDRESS);
  expect(play.splits).toEqual(["NEW 0, OLD 100", "NEW 100"]);
});

test("a first deployment has nothing to be gradual against, and is made at once", async () => {
  const play = playRollout({ serving: [] });
  await rollOut(play);
  expect(play.said.join("\n")).toContain("nothing to be gradual against");
  expect(commandsOf(play)).not.toContain("versions upload");
  expect(play.ran.some((line) => line.startsWith("deploy "))).toBe(true);
});

describe("nothing is changed when", () => {
  const expectUntouched = ({ ran, splits }: Play) => {
    expect(splits).toEqual([]);
    expect(ran.filter((line) => /upload|deploy |rollback|migrations|create/.test(line))).toEqual([]);
  };

  test("two versions still share the traffic; the message has the commands that finish it", async () => {
    const serving = [
      { version_id: OTHER, percentage: 10 },
      { version_id: OLD, percentage: 90 },
    ];
    const play = playRollout({ serving });
    const message = await failureOf(play);
    expect(message).toContain(`npx wrangler versions deploy ${OTHER}@100% --name meridian --yes`);
    expect(message).toContain(`${OTHER} at 10 %`);
    expectUntouched(play);
  });

  test("an object migration is pending; the message says to deploy it alone", async () => {
    const play = playRollout({ migrationTag: "v1" });
    const message = await failureOf(play);
    expect(message).toContain("Object migration v2 is new");
    expect(message).toContain("alone first");
    expectUntouched(play);
  });

  test("the traffic is too little to judge by; the message has a watch that is long enough", async () => {
    const play = playRollout({ figures: () => ({ requests: 1_000 }) });
    const message = await failureOf(play);
    expect(message).toContain("1000 requests in the last 10m");
    expect(message).toContain("it needs 200. Add --watch 20m, or --watch 0");
    expectUntouched(play);
  });

  test("metrics cannot be read; the message says how to go without", async () => {
    const play = playRollout();
    const metricsOf = async () => {
      throw new Error("This login may not read the metrics");
    };
    const message = await failureOf({ ...play, metricsOf });
    expect(message).toContain("This login may not read the metrics");
    expect(message).toContain("--watch 0");
    expectUntouched(play);
  });

  test("it is not known what is deployed", async () => {
    const play = playRollout({
      fails: { "deployments status": () => true },
      failure: "Authentication error [code: 10000]",
    });
    expect(await failureOf(play)).toContain("Reading the last deployment: failed");
    expectUntouched(play);
  });
});

test("rollout that broke off at 0 % does not hinder the next", async () => {
  const serving = [
    { version_id: OTHER, percentage: 0 },
    { version_id: OLD, percentage: 100 },
  ];
  expect(await rollOut(playRollout({ serving }))).toBe(ADDRESS);
});

test("an object migration that the running version does not tell of is refused with the upload", async () => {
  const failure =
    "This Worker has a pending Durable Object migration, which cannot be applied by `versions upload`.";
  const play = playRollout({ fails: { "versions upload": () => true }, failure });
  expect(await failureOf(play)).toContain("Object migration v2 is new");
  expect(play.splits).toEqual([]);
});

describe("a smoke test that fails takes the version back before any user meets it", () => {
  const text = (status: number) => () => new Response("no", { status });
  test.each([
    [
      "/readyz answers 503",
      { "GET /readyz": () => Response.json({ version: NEW, status: "down" }, { status: 503 }) },
    ],
    ["a wrong password is let in", { "POST /api/auth/login": text(200) }],
    ["a login fails", { "POST /api/auth/login": () => problem(500, "internal") }],
    [
      "a login is refused with another status",
      { "POST /api/auth/login": () => problem(403, "invalid_credentials") },
    ],
    [
      "a login is refused for another reason",
      { "POST /api/auth/login": () => problem(401, "token_expired") },
    ],
    [
      "a refusal is no problem document",
      { "POST /api/auth/login": () => Response.json({ code: "invalid_credentials" }, { status: 401 }) },
    ],
    ["products are not listed", { "GET /api/products": () => problem(503, "unavailable") }],
    ["a list is no success", { "GET /api/products": () => Response.json({ data: [] }, { status: 500 }) }],
    ["the list is no list", { "GET /api/products": () => Response.json({ products: [] }) }],
    [
      "the second list differs",
      { "GET /api/products": (times: number) => Response.json({ data: times === 1 ? [] : [{ id: "p1" }] }) },
    ],
    [
      "a call is not answered",
      {
        "GET /api/products": () => {
          throw new Error("socket hang up");
        },
      },
    ],
  ])("%s", async (_, answers) => {
    const play = playRollout({ answers });
    const message = await failureOf(play);
    const [call] = Object.keys(answers);
    expect(message).toContain(call);
    expect(message.endsWith(BACK)).toBe(true);
    expect(play.splits).toEqual(["NEW 0, OLD 100", "OLD 100"]);
  });

  test("the answer's status, code and request id are named", async () => {
    const play = playRollout({ answers: { "POST /api/auth/login": () => problem(500, "internal") } });
    const message = await failureOf(play);
    expect(message).toContain(
      "POST /api/auth/login answers 500 internal, not 401 invalid_credentials (request r-1)",
    );
  });
});

test("a sale between the two lists of products is no difference", async () => {
  const answers = {
    "GET /api/products": (times: number) => Response.json({ data: [{ id: "p1", stock: 9 - times }] }),
  };
  expect(await rollOut(playRollout({ answers }))).toBe(ADDRESS);
});

test("an override that takes some seconds to be applied is waited for", async () => {
  expect(await rollOut(playRollout({ overrideLag: 5 }))).toBe(ADDRESS);
});

test("a smoke test that never reaches the new version fails, though all answers are good", async () => {
  const play = playRollout({ overrideLag: 1_000 });
  expect(await failureOf(play)).toContain(`Requests for version ${NEW} are answered with version ${OLD}`);
  expect(play.splits.at(-1)).toBe("OLD 100");
});

test("a smoke test that ends at another version does not count", async () => {
  const answers = {
    "GET /readyz": (times: number) => Response.json({ version: times > 3 ? OLD : NEW, status: "ok" }),
  };
  expect(await failureOf(playRollout({ answers }))).toContain(`are answered with version ${OLD}`);
});

describe("while it is watched at 10 %", () => {
  const doing = (figures: object) => ({
    figures: (version: string) => (version === NEW ? figures : {}),
  });

  test("a version whose requests fail more often goes back, and the message has both rates", async () => {
    const play = playRollout(doing({ requests: 400, failures: 16 }));
    const message = await failureOf(play);
    expect(message).toContain("More requests fail: 4.0 % of 400 requests failed (before: 0.1 % of 5000");
    expect(message.endsWith(BACK)).toBe(true);
    expect(play.splits).toEqual([...UNTIL_WATCH, "OLD 100"]);
  });

  test("it goes back at the first look, not after the whole watch", async () => {
    const slept: string[] = [];
    const during = (moment: string) => void slept.push(moment);
    await failureOf(playRollout({ ...doing({ failures: 900 }), during }), { watchMs: 3_600_000 });
    expect(slept.filter((moment) => moment === "sleep 30000")).toHaveLength(1);
  });

  test("a slower version goes back, and the message has both p99", async () => {
    const play = playRollout(doing({ p99Ms: 400 }));
    expect(await failureOf(play)).toContain("Requests are slower");
    expect(play.splits).toEqual([...UNTIL_WATCH, "OLD 100"]);
  });

  test("four failures of 300 requests may happen to any version", async () => {
    expect(await rollOut(playRollout(doing({ requests: 300, failures: 4 })))).toBe(ADDRESS);
  });

  test("a version that fails for every request goes back, however few they are", async () => {
    const play = playRollout(doing({ requests: 8, failures: 8 }));
    expect(await failureOf(play)).toContain("More requests fail: 100.0 % of 8 requests");
  });

  test("traffic that turns out too little is said, and is no success", async () => {
    const play = playRollout(doing({ requests: 199, failures: 0 }));
    const message = await failureOf(play);
    expect(message).toContain("Too few requests to judge: 0.0 % of 199 requests");
    expect(message).toContain("needs 200");
    expect(play.splits).toEqual([...UNTIL_WATCH, "OLD 100"]);
  });

  test("metrics that are not answered for a while do not end it; none in the end do", async () => {
    const play = playRollout();
    let looks = 0;
    const metricsOf = (isDown: (look: number) => boolean) => async (versions: readonly string[]) => {
      looks += 1;
      if (isDown(looks)) throw new Error("Analytics Engine answers 500");
      return await play.metricsOf(versions);
    };
    expect(await rollOut({ ...play, metricsOf: metricsOf((look) => look === 3) })).toBe(ADDRESS);
    const other = playRollout();
    looks = 0;
    const message = await failureOf({ ...other, metricsOf: metricsOf((look) => look > 1) });
    expect(message).toContain("Analytics Engine answers 500");
    expect(other.splits.at(-1)).toBe("OLD 100");
    expect(looks).toBe(1 + 10 + 3);
  });

  test("Ctrl-C gives every request to the old version again", async () => {
    const play = playRollout({
      during: (moment, { stop }) => {
        if (moment === "sleep 30000") stop();
      },
    });
    const message = await failureOf(play);
    expect(message).toBe(`Stopped by Ctrl-C.\n${BACK}`);
    expect(play.splits).toEqual([...UNTIL_WATCH, "OLD 100"]);
  });

  test("another deployment that comes in between is neither undone nor overwritten", async () => {
    const play = playRollout({
      during: (moment, { deployOther }) => {
        if (moment === "sleep 60000") deployOther();
      },
    });
    expect((await failureOf(play)).match(/Another deployment has come in between/g)).toHaveLength(1);
    expect(play.splits).toEqual([...UNTIL_WATCH, "OTHER 100"]);
  });

  test("another deployment is not undone by going back either", async () => {
    const play = playRollout({
      ...doing({ failures: 900 }),
      during: (moment, { deployOther }) => {
        if (moment === "sleep 30000") deployOther();
      },
    });
    const message = await failureOf(play);
    expect(message).toContain("Another deployment has come in between");
    expect(play.splits.at(-1)).toBe("OTHER 100");
  });
});

test("Ctrl-C during the upload changes nothing", async () => {
  const play = playRollout({
    during: (moment, { stop }) => {
      if (moment.startsWith("versions upload")) stop();
    },
  });
  expect(await failureOf(play)).toBe(
    `Stopped by Ctrl-C.\nNothing has changed: version ${OLD} serves every request.`,
  );
  expect(play.splits).toEqual([]);
});

test("Ctrl-C during the smoke test takes the version out again", async () => {
  const play = playRollout({
    overrideLag: 5,
    during: (moment, { stop }) => {
      if (moment === "sleep 2000") stop();
    },
  });
  expect(await failureOf(play)).toBe(`Stopped by Ctrl-C.\n${BACK}`);
  expect(play.splits).toEqual(["NEW 0, OLD 100", "OLD 100"]);
});

test("Ctrl-C while the last step is made goes back too", async () => {
  const play = playRollout({
    during: (moment, { stop }) => {
      if (moment.startsWith(`versions deploy ${NEW}@100%`)) stop();
    },
  });
  expect(await failureOf(play)).toBe(`Stopped by Ctrl-C.\n${BACK}`);
  expect(play.splits).toEqual([...UNTIL_WATCH, "NEW 100", "OLD 100"]);
});

test("when it cannot be read what serves, going back is tried all the same", async () => {
  const play: Play = playRollout({
    answers: { "GET /api/products": () => problem(500, "internal") },
    fails: { "deployments status": () => play.splits.length > 0 },
  });
  expect((await failureOf(play)).endsWith(BACK)).toBe(true);
});

test.each(["0%", "10%", "100%"])("a split to %s whose answer is lost is taken back", async (percent) => {
  const play = playRollout({ answerLost: `versions deploy ${NEW}@${percent}` });
  const message = await failureOf(play);
  expect(message).toContain("Cloudflare cannot be reached");
  expect(message.endsWith(BACK)).toBe(true);
  expect(play.splits.at(-1)).toBe("OLD 100");
});

test("going back is tried again, and when it fails the message has the command", async () => {
  const failing = { answers: { "GET /api/products": () => problem(500, "internal") } };
  const twice = playRollout({ ...failing, fails: { rollback: (times) => times <= 2 } });
  expect((await failureOf(twice)).endsWith(BACK)).toBe(true);
  const never = playRollout({ ...failing, fails: { rollback: () => true } });
  const message = await failureOf(never);
  expect(message).toContain("GET /api/products answers 500");
  expect(message).toContain(`GOING BACK FAILED: version ${NEW} may still get requests`);
  expect(message).toContain(`npx wrangler rollback ${OLD} --name meridian --yes`);
});

test("triggers that cannot be set leave the proven version in place, and say so", async () => {
  const play = playRollout({ fails: { "triggers deploy": () => true } });
  expect(await failureOf(play)).toContain(
    `Version ${NEW} serves every request. To set the rest: npm run deploy`,
  );
  expect(play.splits.at(-1)).toBe("NEW 100");
});
