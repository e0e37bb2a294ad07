/**
 * What a program does with `@meridian/client`, in any runtime: no test library, nothing of Node or of browsers. It runs
 * behind a proxy that loses the first answer to every sign-up, and reports what it saw.
 */
import { Client, isRefusal, MeridianError, type Schemas, type Session } from "../../../client/src";

export interface Situation {
  /** Of the proxy. */
  readonly baseUrl: string;
  /** Tells the runs of different runtimes apart. */
  readonly run: string;
  readonly adminToken: string;
}

const PASSWORD = "correct horse battery staple";
/** Of the one who is to be stopped. */
const LIMIT = { limit: 4, windowSeconds: 10 };
const CALLS_AT_ONCE = 8;

export async function walk({ baseUrl, run, adminToken }: Situation) {
  const admin = new Client({ baseUrl, session: { accessToken: adminToken, refreshToken: "none" } });
  const ada = await signUp(baseUrl, `ada-${run}@client.example`);
  const bob = await signUp(baseUrl, `bob-${run}@client.example`);
  const refused = await ada.client
    .post("/api/users", { body: { name: "A", email: "no" } })
    .then(() => null, codeAndPointers);
  return {
    /** Whether the answer that counted was the recorded one. */
    signUpIsReplay: ada.isReplay,
    again: await codeOf(ada.client.post("/api/users", { body: { name: "Ada", email: ada.email } })),
    refused,
    ...(await ownWrites(ada.client, ada.id)),
    renewals: await renewTogether(baseUrl, ada.session),
    skus: await pageThrough(admin, run),
    limited: await runIntoTheLimit(admin, bob),
  };
}

export type Report = Awaited<ReturnType<typeof walk>>;

async function signUp(baseUrl: string, email: string) {
  const client = new Client({ baseUrl });
  const { data, isReplay } = await client.post("/api/users", {
    body: { name: "Ada", email, password: PASSWORD },
  });
  await client.logIn({ email, password: PASSWORD });
  const { session } = client;
  if (session === null) throw new Error("logged in without a session");
  return { client, email, id: data.id, isReplay, session };
}

async function codeOf(call: Promise<unknown>): Promise<string | null> {
  return await call.then(
    () => null,
    (error) => (error instanceof MeridianError ? error.code : String(error)),
  );
}

function codeAndPointers(error: unknown) {
  if (!isRefusal(error, "validation_failed")) return null;
  const violations = (error.problem.errors ?? []) as readonly { pointer: string }[];
  return { code: error.code, pointers: violations.map(({ pointer }) => pointer) };
}

/** A change is read at once, and a stale tag changes nothing. Without the headers that CORS exposes neither works. */
async function ownWrites(client: Client, id: string) {
  const path = { id };
  const before = await client.get("/api/users/{id}", { path });
  const changed = await client.patch("/api/users/{id}", {
    path,
    body: { age: 36 },
    ifMatch: before.etag ?? "none",
  });
  const after = await client.get("/api/users/{id}", { path });
  const stale = client.patch("/api/users/{id}", { path, body: { age: 37 }, ifMatch: before.etag ?? "*" });
  return {
    readBack: after.data.age,
    etags: [before.etag, changed.etag, after.etag],
    requestIdLength: after.headers.get("x-request-id")?.length ?? 0,
    stale: await codeOf(stale),
  };
}

/** Many calls find their token stale at the same time. */
async function renewTogether(baseUrl: string, session: Session) {
  const kept: (Session | null)[] = [];
  const client = new Client({
    baseUrl,
    session: { accessToken: "stale.access.token", refreshToken: session.refreshToken },
    onSession: (renewed) => kept.push(renewed),
  });
  const calls = Array.from({ length: 5 }, () => client.get("/api/users/me"));
  const answers = await Promise.all(calls);
  return { answered: answers.length, sessions: kept.length };
}

async function pageThrough(admin: Client, run: string): Promise<string[]> {
  const names = ["A", "B", "C", "D", "E"].map((name) => `${run.toUpperCase()}-${name}`);
  for (const sku of names) {
    const product: Schemas["CreateProductInput"] = {
      ...{ sku, name: sku, priceMinor: 1, currency: "EUR", stock: 1 },
    };
    await admin.post("/api/products", { body: product });
  }
  const found: string[] = [];
  for await (const { sku } of admin.pages("/api/products", { query: { limit: 2 } })) found.push(sku);
  return found.filter((sku) => names.includes(sku)).toSorted();
}

/** One who waits gets every answer; one who does not is told for how long he would have to. */
async function runIntoTheLimit(admin: Client, { client, id }: { client: Client; id: string }) {
  await admin.put("/api/limits/{client}", { path: { client: `user:${id}` }, body: LIMIT });
  const calls = Array.from({ length: CALLS_AT_ONCE }, () =>
    client.get("/api/users/me", { waitSecondsMax: 60 }),
  );
  const answered = (await Promise.all(calls)).length;
  const impatient = await client.get("/api/users/me").then(
    () => null,
    (error: unknown) =>
      isRefusal(error, "rate_limited")
        ? { code: error.code, waits: (error.retryAfterSeconds ?? 0) > 0 }
        : null,
  );
  return { answered, impatient };
}
