# The benchmark's bundle on plain workerd, its objects on disk. `bench/limiter.mjs` passes the paths.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    ( name = "main", worker = .main ),
    ( name = "objects", disk = ( path = "objects", writable = true ) ),
  ],
  sockets = [ ( name = "http", http = (), service = "main" ) ],
);

const main :Workerd.Worker = (
  modules = [ ( name = "worker.js", esModule = embed "bundle/worker.js" ) ],
  compatibilityDate = "2026-10-20",
  compatibilityFlags = [ "nodejs_compat" ],
  durableObjectNamespaces = [
    ( className = "ClientLimiter", uniqueKey = "limiter-bench", enableSql = true ),
  ],
  durableObjectStorage = ( localDisk = "objects" ),
  bindings = [ ( name = "CLIENT_LIMITER", durableObjectNamespace = "ClientLimiter" ) ],
);
