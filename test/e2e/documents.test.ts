/** What the documents name is there, and the walk over README.md notices when it does not tell the truth. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { differences } from "../../scripts/walk/answers.mjs";
import { readInstructions } from "../../scripts/walk/document.mjs";
import { isWholeCommand } from "../../scripts/walk/shell.mjs";

const DOCUMENTS = [
  ...["README.md", "CONTRIBUTING.md", "client/README.md"],
  ...["docs", "docs/decisions", "examples/queue-consumer", "examples/service-caller"].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name)),
  ),
];
const SCRIPTS = Object.keys(JSON.parse(readFileSync("package.json", "utf8")).scripts);
/** npm's own names for `npm run start`, `npm run test`. */
const SHORT = ["start", "test"];

describe.each(DOCUMENTS)("%s", (path) => {
  const text = readFileSync(path, "utf8");

  test("names only scripts that there are", () => {
    const named = [...text.matchAll(/\bnpm run (?:--silent )?([a-z][a-z:-]*)/g)].map(([, name]) => name);
    expect(named.filter((name) => !SCRIPTS.includes(name ?? ""))).toEqual([]);
  });

  test("links only to files that there are", () => {
    const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, to = ""]) => to);
    const local = links.filter((to) => !/^(?:https?|mailto):/.test(to));
    expect(local.filter((to) => !existsSync(join(dirname(path), to)))).toEqual([]);
  });
});

test("README.md names every script: a new one gets a line in its table", () => {
  const text = readFileSync("README.md", "utf8");
  const commands = SCRIPTS.map((name) => (SHORT.includes(name) ? `npm ${name}` : `npm run ${name}`));
  expect(commands.filter((command) => !new RegExp(`\`${command}[\` ]`).test(text))).toEqual([]);
});

describe("the walk", () => {
  test("reads commands in order, over several lines, each with its answer", () => {
    const text = [
      ...["```sh", "curl -i here \\", "  -d '{", "}'", "```", "", "```", "HTTP/1.1 200 OK", "```"],
      ...["```json", "{}", "```", "```sh", "A=$(one)", "", "two  # aside", "# {", "# }", "```"],
      ...["```", "not an answer: two has one", "```"],
    ].join("\n");
    expect(readInstructions(text, isWholeCommand)).toEqual([
      { command: "curl -i here \\\n  -d '{\n}'", shown: "HTTP/1.1 200 OK", line: 2 },
      { command: "A=$(one)", shown: null, line: 14 },
      { command: "two  # aside", shown: "{\n}", line: 16 },
    ]);
  });

  test("lets pass what differs from run to run, broken lines and what is said to be left out", () => {
    const shown = `HTTP/1.1 201 Created
Location: /api/users/01a20312-6b3a-7789-80e2-ca4e7f954be9
RateLimit: "default";r=99;t=900

{"id":"01a20312-6b3a-7789-80e2-ca4e7f954be9","at":"2026-11-22T11:44:28.474Z",
 "link":"http://localhost:8787/verify-email?token=qqMa4A72w1dBtmC83OkwHHTRhiky9W_ZiGKszq3Rebs",...}`;
    const actual = `HTTP/1.1 201 Created\r
ratelimit: "default";r=99;t=12\r
location: /api/users/01a20387-b3ce-723d-bb5f-e8ff1d382053\r
Vary: Authorization\r
\r
{"id":"01a20387-b3ce-723d-bb5f-e8ff1d382053","at":"2027-01-02T03:04:05.678Z","link":"http://localhost:40123/verify-email?token=aaMa4A72w1dBtmC83OkwHHTRhiky9W_ZiGKszq3Rebs","more":1}`;
    expect(differences(shown, actual)).toEqual([]);
    expect(differences("...\nAll of it worked, in 24 s.", "> demo\n\nAll of it worked, in 7 s.\n")).toEqual(
      [],
    );
  });

  test.each([
    ["a status", "HTTP/1.1 200 OK\nA: 1\n\n{}", "HTTP/1.1 201 Created\nA: 1\n\n{}"],
    ["a header's value", "HTTP/1.1 200 OK\nA: 1\n\n{}", "HTTP/1.1 200 OK\nA: 2\n\n{}"],
    ["a header that is gone", "HTTP/1.1 200 OK\nA: 1\nB: 1\n\n{}", "HTTP/1.1 200 OK\nA: 1\n\n{}"],
    ["a header that came", "HTTP/1.1 200 OK\nA: 1\n\n{}", "HTTP/1.1 200 OK\nA: 1\nB: 1\n\n{}"],
    ["a value", '{"a":{"b":1}}', '{"a":{"b":2}}'],
    ["a member that is gone", '{"a":1,"b":2,...}', '{"a":1}'],
    ["a member that came", '{"a":1}', '{"a":1,"b":2}'],
    ["an item", '{"a":[1,2]}', '{"a":[1]}'],
    ["a budget", 'RateLimit: "default";r=99;t=900', 'RateLimit: "default";r=98;t=900'],
    ["a shape", '{"id":"01a20312-6b3a-7789-80e2-ca4e7f954be9"}', '{"id":"7"}'],
    ["a text", "...\nAll of it worked, in 24 s.", "> demo\nNot all of it worked, in 24 s."],
    ["silence", "", "what README.md does not show"],
  ])("notices %s", (_, shown, actual) => {
    expect(differences(shown, actual)).not.toEqual([]);
  });
});
