/** What the peer needs of the machine: which programs there are, and as whom PostgreSQL may run. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * @typedef {{redisServer: string, postgres: string, initdb: string, postgresUser: {uid: number, gid: number} | null}} Programs
 * @returns {Programs | {skipped: string}} the programs' paths, or which one is missing
 */
export function findPrograms() {
  if (process.platform === "win32") return { skipped: "redis-server has no build for Windows" };
  const redisServer = find("redis-server", []);
  if (redisServer === null) return { skipped: "redis-server is not installed" };
  // initdb stands beside the server of its own version, and Debian puts neither on the PATH.
  const folder = postgresFolders().find(
    (path) => existsSync(join(path, "initdb")) && existsSync(join(path, "postgres")),
  );
  if (folder === undefined) return { skipped: "postgresql is not installed" };
  const isRoot = process.getuid?.() === 0;
  const postgresUser = isRoot ? identityOf("postgres") : null;
  if (isRoot && postgresUser === null)
    return { skipped: "postgresql refuses to run as root, and there is no user postgres" };
  return { redisServer, postgres: join(folder, "postgres"), initdb: join(folder, "initdb"), postgresUser };
}

function find(name, folders) {
  const path = [...(process.env.PATH ?? "").split(delimiter), ...folders].map((folder) => join(folder, name));
  return path.find((candidate) => existsSync(candidate)) ?? null;
}

function postgresFolders() {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env.PATH ?? "").split(delimiter),
  ];
}

function identityOf(user) {
  try {
    const number = (flag) => Number(execFileSync("id", [flag, user], { encoding: "utf8", stdio: "pipe" }));
    return { uid: number("-u"), gid: number("-g") };
  } catch {
    return null;
  }
}
