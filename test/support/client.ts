/** A client of the Worker for tests: sends JSON, reads JSON, from an address of its own. */
import { exports } from "cloudflare:workers";

let addresses = 0;

/** A documentation address no other test uses, so that tests spend no budget of each other. */
export function freshAddress(): string {
  addresses += 1;
  return `2001:db8:${(addresses >> 16).toString(16)}:${(addresses & 0xffff).toString(16)}::1`;
}

export interface Call {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: BodyInit;
  readonly from?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever shape came back.
  readonly json: any;
}

export async function call(path: string, options: Call = {}): Promise<Answer> {
  const headers = new Headers({ "CF-Connecting-IP": options.from ?? freshAddress() });
  if (options.token !== undefined) headers.set("Authorization", `Bearer ${options.token}`);
  if (options.json !== undefined) headers.set("Content-Type", "application/json");
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const response = await exports.default.fetch(`https://meridian.example${path}`, {
    method: options.method ?? (body === undefined ? "GET" : "POST"),
    headers,
    redirect: "manual",
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== "" ? JSON.parse(text) : null,
  };
}
