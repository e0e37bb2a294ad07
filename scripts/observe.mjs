/**
 * `npm run observe [-- --url http://localhost:8787]`: Prometheus, Alertmanager and Grafana over the local server, each
 * in the foreground of this command and gone with it. What is not installed is named, with where to get it.
 *
 * Debian and Ubuntu: apt-get install prometheus prometheus-alertmanager. macOS: brew install prometheus alertmanager
 * grafana.
 */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemOfUrl, readArguments } from "./arguments.mjs";
import { metricsToken } from "./metrics-token.mjs";
import { runMain } from "./prepare.mjs";
import { exitOf, ROOT } from "./tools.mjs";

const PROMETHEUS_PORT = 9090;
const ALERTMANAGER_PORT = 9093;
const GRAFANA_PORT = 3000;

const port = (fallback) => ({
  takes: "<port>",
  says: `${fallback} unless given`,
  check: (value) =>
    /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? undefined : "a port is a number up to 65535",
});
const { values } = readArguments({
  command: "npm run observe",
  flags: {
    url: {
      takes: "<address>",
      says: "of the server; http://localhost:8787 unless given",
      check: problemOfUrl,
    },
    "prometheus-port": port(PROMETHEUS_PORT),
    "alertmanager-port": port(ALERTMANAGER_PORT),
  },
});

await runMain(async () => {
  const target = new URL(values.url ?? "http://localhost:8787");
  const prometheusPort = Number(values["prometheus-port"] ?? PROMETHEUS_PORT);
  const alertmanagerPort = Number(values["alertmanager-port"] ?? ALERTMANAGER_PORT);
  const directory = mkdtempSync(join(tmpdir(), "meridian-observe-"));
  try {
    writeConfiguration(directory, { target, alertmanagerPort });
    const children = [
      startPrometheus(directory, prometheusPort),
      startAlertmanager(directory, alertmanagerPort),
      startGrafana(directory, prometheusPort),
    ].filter((child) => child !== null);
    if (children.length === 0) {
      process.stdout.write(hint(target));
      return 1;
    }
    return await untilEnded(children);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** The committed files, with this server's address and its token in place. */
function writeConfiguration(directory, { target, alertmanagerPort }) {
  cpSync(join(ROOT, "ops"), directory, { recursive: true });
  const path = join(directory, "prometheus/prometheus.yml");
  const configuration = readFileSync(path, "utf8")
    .replace('"127.0.0.1:8787"', JSON.stringify(target.host))
    .replace("scheme: http", `scheme: ${target.protocol.replace(":", "")}`)
    .replace('"127.0.0.1:9093"', JSON.stringify(`127.0.0.1:${alertmanagerPort}`));
  writeFileSync(path, configuration);
  writeFileSync(join(directory, "prometheus/metrics-token"), metricsToken(), { mode: 0o600 });
}

function startPrometheus(directory, port) {
  return start("prometheus", `Prometheus  http://localhost:${port}/alerts`, [
    `--config.file=${join(directory, "prometheus/prometheus.yml")}`,
    `--storage.tsdb.path=${join(directory, "tsdb")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--log.level=warn",
  ]);
}

function startAlertmanager(directory, port) {
  const name = isInstalled("prometheus-alertmanager") ? "prometheus-alertmanager" : "alertmanager";
  return start(name, `Alertmanager http://localhost:${port}`, [
    `--config.file=${join(directory, "alertmanager.yml")}`,
    `--storage.path=${join(directory, "alertmanager")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--cluster.listen-address=",
    "--log.level=warn",
  ]);
}

/** With the data source and the dashboard in place. */
function startGrafana(directory, prometheusPort) {
  const home = [
    "/usr/share/grafana",
    "/opt/homebrew/opt/grafana/share/grafana",
    "/usr/local/share/grafana",
  ].find((path) => existsSync(join(path, "conf")));
  if (home === undefined)
    return missing("grafana", "Grafana: import ops/grafana/meridian.json into one you have");
  const provisioning = join(directory, "grafana/provisioning");
  mkdirSync(join(provisioning, "datasources"), { recursive: true });
  mkdirSync(join(provisioning, "dashboards"), { recursive: true });
  const source = {
    name: "Meridian",
    type: "prometheus",
    url: `http://127.0.0.1:${prometheusPort}`,
    isDefault: true,
  };
  const provider = { name: "Meridian", options: { path: join(ROOT, "ops/grafana") } };
  // JSON is YAML.
  writeFileSync(join(provisioning, "datasources/meridian.yaml"), JSON.stringify({ datasources: [source] }));
  writeFileSync(join(provisioning, "dashboards/meridian.yaml"), JSON.stringify({ providers: [provider] }));
  const environment = {
    GF_PATHS_DATA: join(directory, "grafana"),
    GF_PATHS_LOGS: join(directory, "grafana"),
    GF_PATHS_PROVISIONING: provisioning,
    GF_SERVER_HTTP_ADDR: "127.0.0.1",
    GF_AUTH_ANONYMOUS_ENABLED: "true",
    GF_AUTH_ANONYMOUS_ORG_ROLE: "Viewer",
    GF_LOG_LEVEL: "error",
  };
  return start(
    "grafana",
    `Grafana     http://localhost:${GRAFANA_PORT}/d/meridian`,
    ["server", "--homepath", home],
    environment,
  );
}

function start(command, line, args, environment = {}) {
  if (!isInstalled(command)) return missing(command, `${command}: apt-get install ${packageOf(command)}`);
  process.stdout.write(`${line}\n`);
  const env = { ...process.env, ...environment };
  return spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], env });
}

function isInstalled(command) {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined;
}

function packageOf(command) {
  return command === "alertmanager" ? "prometheus-alertmanager" : command;
}

function missing(name, advice) {
  process.stdout.write(`${name} is not installed. ${advice}\n`);
  return null;
}

function hint(target) {
  return [
    "",
    "Nothing to start. Point a Prometheus of yours at this server:",
    `  target    ${target.host}, path /metrics, bearer token METRICS_TOKEN out of .dev.vars`,
    "  rules     ops/prometheus/alerts.yml",
    "  panels    ops/grafana/meridian.json",
    "Or let the Worker's own cron tell you: set ALERT_TO to a mail address or a URL.",
    "",
  ].join("\n");
}

/** Ends all of them with the first that ends, or with this command. */
async function untilEnded(children) {
  let wasAsked = false;
  const stop = () => {
    for (const child of children) child.kill("SIGTERM");
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      wasAsked = true;
      stop();
    });
  }
  const ends = children.map((child) => exitOf(child));
  const first = await Promise.race(ends);
  stop();
  await Promise.all(ends);
  return wasAsked ? 0 : first === 0 ? 1 : first;
}
