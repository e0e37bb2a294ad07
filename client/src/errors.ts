/** What a call can throw. */
import type { Schemas } from "./calls";

export type Problem = Schemas["Problem"];
export type ErrorCode = Problem["code"];

/** The server said no, or failed. Branch on `code`. */
export class MeridianError extends Error {
  override readonly name = "MeridianError";
  /** `unexpected_answer` when something between here and there answered, not the API. */
  readonly code: ErrorCode | "unexpected_answer";
  readonly status: number;
  /** The whole problem document; null with `unexpected_answer`. */
  readonly problem: Problem | null;
  /** Names the call in the server's logs. */
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(response: Response, problem: Problem | null) {
    super(problem === null ? `HTTP ${response.status}` : `${problem.code}: ${problem.detail}`);
    this.code = problem?.code ?? "unexpected_answer";
    this.status = response.status;
    this.problem = problem;
    this.requestId = response.headers.get("x-request-id");
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    this.retryAfterSeconds = Number.isFinite(seconds) ? seconds : null;
  }
}

/** No answer came, as often as it was tried. `cause` is what `fetch` threw last. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
}

/** Whether this is a refusal with one of these codes. */
export function isRefusal<C extends ErrorCode>(
  error: unknown,
  ...codes: readonly C[]
): error is MeridianError & { readonly code: C; readonly problem: Problem } {
  return error instanceof MeridianError && codes.some((code) => code === error.code);
}

/** The error of an answer that is no success. */
export async function errorOf(response: Response): Promise<MeridianError> {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
  const problem = isProblem ? ((await response.json().catch(() => null)) as Problem | null) : null;
  return new MeridianError(response, problem);
}
