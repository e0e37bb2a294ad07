import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { type CronServices, runScheduled } from "../../../src/jobs/cron";
import { configOf } from "../../../src/platform/env";
import { TestClock, testScope } from "../../support/outbox";

test("a task of the cron that fails does not keep the others from running", async () => {
  const scope = testScope(new TestClock());
  const ran: string[] = [];
  // Every service's every method is a task here; the sweep is the one that fails.
  const cron = new Proxy({} as CronServices, {
    get: (_, name) => (name === "services" ? services : Reflect.get(services, name)),
  });
  const services = new Proxy({} as CronServices["services"], {
    get: (_, service) => {
      const task = async (): Promise<void> => {
        ran.push(String(service));
        if (service === "outbox") throw new Error("D1 is away");
      };
      return new Proxy(task, { get: () => task });
    },
  });
  await runScheduled(cron, configOf(env), scope);
  expect(ran).toContain("outbox");
  expect(ran.slice(ran.indexOf("outbox") + 1)).toEqual(expect.arrayContaining(["events", "webhooks"]));
  expect(scope.lines.filter(({ event }) => event === "cron.failed")).toMatchObject([{ task: "sweep" }]);
});
