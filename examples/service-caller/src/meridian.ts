/** What this Worker uses of Meridian's entrypoints. The whole of them is in Meridian's src/entrypoints.ts. */

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: { readonly code: string; readonly detail: string } };

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly version: number;
}

export interface Order {
  readonly id: string;
  readonly status: string;
  readonly totalMinor: number;
}

export interface UsersEntrypoint {
  get(id: string): Promise<Outcome<User>>;
  create(
    input: { readonly name: string; readonly email: string; readonly password?: string },
    options?: { readonly idempotencyKey?: string },
  ): Promise<Outcome<User>>;
}

export interface AuthEntrypoint {
  verifyToken(accessToken: string): Promise<Outcome<{ readonly userId: string; readonly role: string }>>;
}

export interface OrdersEntrypoint {
  list(query: {
    readonly userId?: string;
    readonly limit?: number;
  }): Promise<Outcome<{ readonly data: readonly Order[]; readonly nextCursor: string | null }>>;
}
