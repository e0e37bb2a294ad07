/** Lists' requests as the queries that REST reads, where a number is text and a time RFC 3339. */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { present } from "../input";

/** What RPC calls the members of a list's query. */
export const PAGE_NAMES = { limit: "pageSize", cursor: "pageToken" } as const;

export function pageQuery(
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
  filters: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return present({
    ...filters,
    limit: pageSize === 0 ? undefined : String(pageSize),
    cursor: pageToken === "" ? undefined : pageToken,
  });
}

export function instant(timestamp: Timestamp | undefined): string | undefined {
  return timestamp === undefined ? undefined : timestampDate(timestamp).toISOString();
}
