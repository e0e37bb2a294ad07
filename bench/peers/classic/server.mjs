/** One process of the peer, or with `PROCESSES` over 1 a cluster of them on one port, as Express advises. */
import cluster from "node:cluster";
import { createApp } from "./app.mjs";
import { connect, readSettings } from "./services.mjs";

const processes = Number(process.env.PROCESSES ?? 1);

if (processes > 1 && cluster.isPrimary) {
  let listening = 0;
  cluster.on("listening", () => {
    listening += 1;
    if (listening === processes) process.send?.("listening");
  });
  for (let started = 0; started < processes; started += 1) cluster.fork();
} else {
  const { app, isReady } = createApp(connect(readSettings(process.env)));
  await isReady();
  // Only this machine: it is a peer in a benchmark.
  app.listen(Number(process.env.PORT), "127.0.0.1", (error) => {
    if (error) throw error;
    if (cluster.isPrimary) process.send?.("listening");
  });
  // Nothing of the benchmark outlives who started it.
  process.once("disconnect", () => process.exit());
}
