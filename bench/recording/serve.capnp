# The benchmark's bundle on plain workerd. `bench/recording.mjs` writes the bundle beside it.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ ( name = "main", worker = .main ) ],
  sockets = [ ( name = "http", http = (), service = "main" ) ],
);

const main :Workerd.Worker = (
  modules = [ ( name = "worker.js", esModule = embed "bundle/worker.js" ) ],
  compatibilityDate = "2026-10-20",
  compatibilityFlags = [ "nodejs_compat" ],
);
