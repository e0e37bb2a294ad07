/**
 * Returns the token of an `Authorization` header; null for a header that is absent or not of the form `Bearer <token>`.
 * Source: RFC 6750, section 2.1; a token is any visible ASCII, because operators choose `METRICS_TOKEN` themselves.
 */
export function bearerOf(header: string | undefined): string | null {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(header ?? "")?.[1] ?? null;
}
