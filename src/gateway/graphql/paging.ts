/** Lists as connections: their arguments, and their pages. */
import type { Page } from "../../kernel/cursor";
import { present } from "../input";
import type { RequestCall } from "../request-call";
import { cursorsOf, type InputOf, type ItemOf, type ListName, readInputOf, runList } from "../run-use-case";
import { fieldValue } from "./call-context";
import { PAGE_SIZE_DEFAULT } from "./page-size";
import type { Connection } from "./schema/connections";

export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

type Filters = Readonly<Record<string, unknown>>;

/** A list's query, by the rules that REST reads its parameters by, where a number is text. */
export function listQuery<N extends ListName>(
  call: RequestCall,
  name: N,
  { first, after }: PageArguments,
  filters: Filters = {},
): InputOf<N> {
  const given = present({ ...filters, limit: String(first ?? PAGE_SIZE_DEFAULT), cursor: after });
  return fieldValue(readInputOf(call, name, given));
}

/** Runs a list's use case. **Errors**: its refusal in the connection's words, as the field's error. */
export async function listPage<N extends ListName>(
  call: RequestCall,
  name: N,
  query: InputOf<N>,
): Promise<Connection<ItemOf<N>>> {
  return connectionOver(call, name, query, fieldValue(await runList(call, name, query)));
}

/** Returns a page of a list as a connection. */
export function connectionOver<N extends ListName>(
  call: RequestCall,
  name: N,
  query: InputOf<N>,
  page: Page<ItemOf<N>>,
): Connection<ItemOf<N>> {
  return { page, hasPreviousPage: query.cursor !== undefined, cursorOf: cursorsOf(call, name, query) };
}
