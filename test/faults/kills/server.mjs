/**
 * The Worker as built, with every binding of wrangler.toml kept on disk, in a process of its own that can be killed at
 * any moment. Only mail goes elsewhere: to the harness, which stands for the mail service and survives.
 *
 * node server.mjs '{"bundle": dir, "persist": dir, "port": n, "mailUrl": url, "vars": {...}}'
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { modulesIn } from "../../../scripts/build.mjs";

const { bundle, persist, port, mailUrl, vars } = JSON.parse(process.argv[2]);
const { workerOptions } = unstable_getMiniflareWorkerOptions("wrangler.toml");

const MAIL_SINK = `
  import { WorkerEntrypoint } from "cloudflare:workers";
  export class MailService extends WorkerEntrypoint {
    async send(mail) {
      const answer = await fetch(this.env.MAIL_URL, { method: "POST", body: JSON.stringify(mail) });
      if (!answer.ok) throw Object.assign(new Error("mail"), { code: "E_INTERNAL_SERVER_ERROR" });
      return { messageId: "1" };
    }
  }
  export default {};
`;

// The queue hands over at once, so that most kills meet consumers at work.
for (const consumer of Object.values(workerOptions.queueConsumers)) consumer.maxBatchTimeout = 0;

const options = convertV4MiniflareOptions({
  host: "127.0.0.1",
  port,
  resourcePersistencePath: persist,
  workers: [
    {
      ...workerOptions,
      name: "meridian",
      modulesRoot: bundle,
      modules: modulesIn(bundle).map((name) => ({ type: "ESModule", path: join(bundle, name) })),
      bindings: { ...workerOptions.bindings, ...vars },
      modulesRules: undefined,
      email: undefined,
      serviceBindings: { EMAIL: { name: "mail", entrypoint: "MailService" } },
    },
    {
      name: "mail",
      modules: true,
      script: MAIL_SINK,
      compatibilityDate: workerOptions.compatibilityDate,
      bindings: { MAIL_URL: mailUrl },
    },
  ],
});
const miniflare = new Miniflare(options);
await miniflare.ready;
process.send?.("ready");
const worker = await miniflare.getWorker("meridian");
// The cron, faster than a minute, so that what was lost comes back within the run.
for (;;) {
  await worker.scheduled({ cron: "* * * * *" }).catch(() => {});
  await sleep(500);
}
