/** A played account with versions: their shares of the traffic, what each answers over HTTP, and how its requests went. */
import type { Figures } from "../../scripts/rollout/metrics.mjs";
import { ADDRESS, playAccount } from "./play-account";

export const OLD = "11111111-1111-4111-8111-111111111111";
export const NEW = "22222222-2222-4222-8222-222222222222";
export const OTHER = "33333333-3333-4333-8333-333333333333";

interface Share {
  readonly version_id: string;
  readonly percentage: number;
}

type Call = "GET /readyz" | "POST /api/auth/login" | "GET /api/products";

interface Options {
  /** The new version's answers where they are not the usual ones; `times` counts from 1. A thrown error is a lost one. */
  readonly answers?: Partial<Record<Call, (times: number) => Response>>;
  /** Requests that still reach the old version although they name the new one. */
  readonly overrideLag?: number;
  readonly figures?: (version: string) => Partial<Figures>;
  /** Whether a command fails, by how it starts; `times` counts from 1. It prints `failure`. */
  readonly fails?: Readonly<Record<string, (times: number) => boolean>>;
  readonly failure?: string;
  /** A command that is carried out, but whose answer is lost, by how it starts. */
  readonly answerLost?: string;
  readonly migrationTag?: string;
  readonly serving?: readonly Share[];
  /** What happens while the rollout sleeps or a command runs; `stop` is Ctrl-C. */
  readonly during?: (moment: string, play: { stop: () => void; deployOther: () => void }) => void;
}

const GOOD: Figures = { requests: 5_000, failures: 5, p99Ms: 120 };

/** `splits` has every deployment in order, such as `NEW 0, OLD 100`. */
export function playRollout(options: Options = {}) {
  const base = playAccount();
  base.has.add("worker");
  base.variables.set("PUBLIC_URL", ADDRESS);
  let shares = options.serving ?? [{ version_id: OLD, percentage: 100 }];
  let now = 1_800_000_000_000;
  const splits: string[] = [];
  const times = new Map<string, number>();
  const stopped = new AbortController();
  const count = (what: string) => {
    const next = (times.get(what) ?? 0) + 1;
    times.set(what, next);
    return next;
  };
  const set = (next: readonly Share[]) => {
    shares = next;
    splits.push(next.map(({ version_id, percentage }) => `${nameOf(version_id)} ${percentage}`).join(", "));
  };
  const happen = (moment: string) =>
    options.during?.(moment, {
      stop: () => stopped.abort(new Error("Stopped by Ctrl-C.")),
      deployOther: () => set([{ version_id: OTHER, percentage: 100 }]),
    });

  async function wrangler(args: readonly string[]) {
    const line = args.join(" ");
    const failing = Object.entries(options.fails ?? {}).find(([start]) => line.startsWith(start));
    if (failing?.[1](count(`command ${failing[0]}`))) {
      base.ran.push(line);
      return { code: 1, output: options.failure ?? "no" };
    }
    const answer = await carryOut(args, line);
    happen(line);
    const isLost = options.answerLost !== undefined && line.startsWith(options.answerLost);
    return isLost ? { code: 1, output: "fetch failed" } : answer;
  }

  async function carryOut(args: readonly string[], line: string) {
    const answer = await base.wrangler(args);
    if (line.startsWith("deployments status") && !line.includes("--name")) {
      return shares.length === 0
        ? { code: 1, output: "The Worker meridian has no deployments." }
        : { code: 0, output: JSON.stringify({ versions: shares }) };
    }
    if (line.startsWith("versions view")) {
      const view = JSON.parse(answer.output);
      const script_runtime = { migration_tag: options.migrationTag };
      return { code: 0, output: JSON.stringify({ resources: { ...view.resources, script_runtime } }) };
    }
    if (line.startsWith("versions upload")) return { code: 0, output: `Worker Version ID: ${NEW}\n` };
    if (line.startsWith("versions deploy")) {
      const specs = [...line.matchAll(/([0-9a-f-]{36})@(\d+)%/g)];
      set(specs.map(([, version_id = "", percentage]) => ({ version_id, percentage: Number(percentage) })));
    }
    if (line.startsWith("rollback")) set([{ version_id: args[1] ?? "", percentage: 100 }]);
    return answer;
  }

  async function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const url = new URL(String(input));
    const override = new Headers(init?.headers).get("Cloudflare-Workers-Version-Overrides");
    const named = /^meridian="([0-9a-f-]{36})"$/.exec(override ?? "")?.[1];
    const isDeployed = shares.some(({ version_id }) => version_id === named);
    const isApplied = isDeployed && count("override") > (options.overrideLag ?? 0);
    const version = isApplied && named !== undefined ? named : OLD;
    const call = `${init?.method ?? "GET"} ${url.pathname}` as Call;
    const own = version === NEW ? options.answers?.[call] : undefined;
    return own === undefined ? usualAnswer(call, version) : own(count(call));
  }

  return {
    ...base,
    wrangler,
    splits,
    means: {
      fetch,
      clock: () => now,
      async sleep(ms: number, signal?: AbortSignal) {
        now += ms;
        happen(`sleep ${ms}`);
        // As the timers of Node say it.
        if (signal?.aborted) throw new Error("The operation was aborted");
      },
      interruptible: async <T>(work: (interrupted: AbortSignal) => Promise<T>) => await work(stopped.signal),
    },
    metricsOf: async (versions: readonly string[]) =>
      versions.map((version) => ({ ...GOOD, ...options.figures?.(version) })),
  };
}

function usualAnswer(call: Call, version: string): Response {
  switch (call) {
    case "GET /readyz":
      return Response.json({ version, status: "ok", checks: [] });
    case "POST /api/auth/login":
      return problem(401, "invalid_credentials");
    case "GET /api/products":
      return Response.json({ data: [{ id: "p1", stock: 4 }], nextCursor: null });
  }
}

/** A problem document as the Worker answers it. */
export function problem(status: number, code: string): Response {
  return new Response(JSON.stringify({ code }), {
    status,
    headers: { "Content-Type": "application/problem+json", "X-Request-Id": "r-1" },
  });
}

function nameOf(version: string): string {
  return { [OLD]: "OLD", [NEW]: "NEW", [OTHER]: "OTHER" }[version] ?? version;
}
