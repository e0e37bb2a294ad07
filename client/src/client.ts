/** A typed client of Meridian's REST API. No dependency; needs `fetch`, `crypto.randomUUID` and `AbortSignal`. */
import type { CallOptions, DataOf, ItemOf, ListPaths, Method, OptionsOf, PathsOf, Schemas } from "./calls";
import { errorOf, isRefusal, MeridianError, NetworkError } from "./errors";

/** The tokens of a login. Keep them where scripts of others cannot read them. */
export type Session = Pick<Schemas["TokenPair"], "accessToken" | "refreshToken">;

export interface ClientOptions {
  /** Where the API is: `https://api.example`. */
  readonly baseUrl: string;
  /** Of an earlier login. */
  readonly session?: Session | null;
  /** Told of every change of tokens; null when the session is over. */
  readonly onSession?: (session: Session | null) => void;
  /** How often a call is sent at most, when no answer or a 503 comes. Default 4. */
  readonly attemptsMax?: number;
  /** Waits out a 429 of at most so many seconds, instead of throwing it. Default 0: throws. */
  readonly waitSecondsMax?: number;
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Waits; for tests. */
  readonly sleep?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

export interface Answer<T> {
  readonly data: T;
  readonly status: number;
  /** For `ifMatch` and `ifNoneMatch`. */
  readonly etag: string | null;
  /** Whether this is the recorded answer of an earlier call with the same key. */
  readonly isReplay: boolean;
  readonly headers: Headers;
}

type Arguments<O> = Record<never, never> extends O ? [options?: O] : [options: O];

interface AnyOptions extends CallOptions {
  readonly body?: unknown;
  readonly path?: object;
  readonly query?: object;
}

const BACKOFF_MS = 200;
const BACKOFF_MS_MAX = 10_000;
/** Waits for the limit, per call. */
const WAITS_MAX = 5;
const PAGES_MAX = 100_000;

export class Client {
  readonly #options: ClientOptions;
  #session: Session | null;
  /** The latest that came: what was written through this client, it reads. */
  #bookmark: string | null = null;
  /** The one renewal that all calls wait for. */
  #renewal: Promise<void> | null = null;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#session = options.session ?? null;
  }

  get session(): Session | null {
    return this.#session;
  }

  async get<P extends PathsOf<"get">>(path: P, ...[options]: Arguments<OptionsOf<P, "get">>) {
    return await this.#call<DataOf<P, "get">>("get", path, options);
  }
  async post<P extends PathsOf<"post">>(path: P, ...[options]: Arguments<OptionsOf<P, "post">>) {
    return await this.#call<DataOf<P, "post">>("post", path, options);
  }
  async put<P extends PathsOf<"put">>(path: P, ...[options]: Arguments<OptionsOf<P, "put">>) {
    return await this.#call<DataOf<P, "put">>("put", path, options);
  }
  async patch<P extends PathsOf<"patch">>(path: P, ...[options]: Arguments<OptionsOf<P, "patch">>) {
    return await this.#call<DataOf<P, "patch">>("patch", path, options);
  }
  async delete<P extends PathsOf<"delete">>(path: P, ...[options]: Arguments<OptionsOf<P, "delete">>) {
    return await this.#call<DataOf<P, "delete">>("delete", path, options);
  }

  /** Every item of a list, page after page. */
  async *pages<P extends ListPaths>(
    path: P,
    ...[options]: Arguments<OptionsOf<P, "get">>
  ): AsyncGenerator<ItemOf<P>> {
    const given: AnyOptions = options ?? {};
    // The logs go on from a position, the other lists from a sealed cursor.
    const name = path === "/api/events" || path === "/api/audit" ? "after" : "cursor";
    let position: string | null = null;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query: object = position === null ? { ...given.query } : { ...given.query, [name]: position };
      const { data } = await this.#call<{ data: ItemOf<P>[]; nextCursor: string | null }>("get", path, {
        ...given,
        query,
      });
      yield* data.data;
      position = data.nextCursor;
      if (position === null) return;
    }
  }

  /** Starts a session. **Errors**: `invalid_credentials`, `rate_limited`. */
  async logIn(credentials: Schemas["LogInInput"]): Promise<Schemas["User"]> {
    const { data } = await this.post("/api/auth/login", { body: credentials });
    this.#setSession(data);
    return data.user;
  }

  /** Ends the session. One that is over already is no error. */
  async logOut(): Promise<void> {
    try {
      if (this.#session !== null) await this.post("/api/auth/logout");
    } catch (error) {
      if (!(error instanceof MeridianError) || error.status !== 401) throw error;
    }
    this.#setSession(null);
  }

  async #call<T>(method: Method, path: string, options: AnyOptions = {}): Promise<Answer<T>> {
    const key = method === "get" ? undefined : (options.idempotencyKey ?? crypto.randomUUID());
    const call = { method, path, options, key };
    const used = this.#session;
    try {
      return await this.#patiently<T>(call);
    } catch (error) {
      const isStale = isRefusal(error, "token_expired", "token_revoked", "unauthenticated");
      if (!isStale || used === null || path === "/api/auth/login" || path === "/api/auth/refresh")
        throw error;
      // Another call may have renewed them meanwhile.
      if (this.#session?.accessToken === used.accessToken) await this.#renew(used);
      if (this.#session === null) throw error;
      return await this.#patiently<T>(call);
    }
  }

  /** One exchange for any number of calls that found the token stale. */
  async #renew({ refreshToken }: Session): Promise<void> {
    this.#renewal ??= this.#patiently<Session>({
      method: "post",
      path: "/api/auth/refresh",
      options: { body: { refreshToken } },
      key: undefined,
    })
      .then(({ data }) => this.#setSession(data))
      .catch((error: unknown) => {
        if (!(error instanceof MeridianError) || error.status !== 401) throw error;
        this.#setSession(null);
      })
      .finally(() => {
        this.#renewal = null;
      });
    await this.#renewal;
  }

  #setSession(session: Session | null): void {
    this.#session = session && { accessToken: session.accessToken, refreshToken: session.refreshToken };
    this.#options.onSession?.(this.#session);
  }

  /** Sends until there is an answer: safe, for an unsafe call carries the same key each time. */
  async #patiently<T>(call: Call): Promise<Answer<T>> {
    const spent: Spent = { attempts: 0, waits: 0 };
    for (;;) {
      try {
        return await this.#send<T>(call);
      } catch (error) {
        const pause = this.#pauseMs(error, call, spent);
        if (pause === null) throw error;
        await (this.#options.sleep ?? sleep)(pause, call.options.signal);
      }
    }
  }

  /** How long to wait before the call is sent again; null when it is not. */
  #pauseMs(error: unknown, { options }: Call, spent: Spent): number | null {
    const seconds = error instanceof MeridianError ? error.retryAfterSeconds : null;
    if (isRefusal(error, "rate_limited")) {
      const secondsMax = options.waitSecondsMax ?? this.#options.waitSecondsMax ?? 0;
      spent.waits += 1;
      return seconds === null || seconds > secondsMax || spent.waits > WAITS_MAX ? null : seconds * 1_000;
    }
    spent.attempts += 1;
    if (!isWorthRepeating(error) || spent.attempts >= (this.#options.attemptsMax ?? 4)) return null;
    return Math.max(backoffMs(spent.attempts), (seconds ?? 0) * 1_000);
  }

  async #send<T>(call: Call): Promise<Answer<T>> {
    const response = await this.#fetch(this.#requestOf(call), call.options.signal);
    const bookmark = response.headers.get("x-d1-bookmark");
    // Ordered as text.
    if (bookmark !== null && bookmark > (this.#bookmark ?? "")) this.#bookmark = bookmark;
    if (!response.ok && response.status !== 304) throw await errorOf(response);
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return {
      data: (isJson ? await response.json() : null) as T,
      status: response.status,
      etag: response.headers.get("etag"),
      isReplay: response.headers.get("idempotency-replayed") === "true",
      headers: response.headers,
    };
  }

  async #fetch(request: Request, signal: AbortSignal | undefined): Promise<Response> {
    try {
      return await (this.#options.fetch ?? fetch)(request);
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new NetworkError(`No answer to ${request.method} ${request.url}`, { cause });
    }
  }

  #requestOf({ method, path, options, key }: Call): Request {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(String((options.path as Record<string, unknown> | undefined)?.[name])),
    );
    const url = new URL(this.#options.baseUrl.replace(/\/$/, "") + filled);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = new Headers({ Accept: "application/json" });
    const set = (name: string, value: string | null | undefined) => value && headers.set(name, value);
    set(
      "Authorization",
      path === "/api/auth/refresh" ? null : this.#session && `Bearer ${this.#session.accessToken}`,
    );
    set("Content-Type", options.body === undefined ? null : "application/json");
    set("Idempotency-Key", key);
    set("If-Match", options.ifMatch);
    set("If-None-Match", options.ifNoneMatch);
    set("X-D1-Bookmark", this.#bookmark);
    return new Request(url, {
      method: method.toUpperCase(),
      headers,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }
}

/** What a call has used of its patience. */
interface Spent {
  attempts: number;
  waits: number;
}

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly options: AnyOptions;
  readonly key: string | undefined;
}

/** A call of ours that is still running answers 409 to its own repetition. */
function isWorthRepeating(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  return error instanceof MeridianError && (error.status === 503 || error.code === "idempotency_in_progress");
}

/** Doubling, with full jitter, so that clients do not come back all at once. */
function backoffMs(attempt: number): number {
  return Math.random() * Math.min(BACKOFF_MS * 2 ** attempt, BACKOFF_MS_MAX);
}

async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
