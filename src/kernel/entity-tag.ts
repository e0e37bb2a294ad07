/** Entity tags and preconditions. The tag of a resource is its version in quotes. Source: RFC 9110, sections 8.8.3 and 13.1. */

export function entityTag(version: number): string {
  return `"${version}"`;
}

/** What `If-Match` asks for. `versions` may be empty (only weak, unknown or malformed tags): nothing matches then. */
export type Precondition =
  | { readonly kind: "none" }
  | { readonly kind: "any" }
  | { readonly kind: "versions"; readonly versions: readonly number[] };

export const NO_PRECONDITION: Precondition = { kind: "none" };

const STRONG_VERSION = /^"([1-9][0-9]{0,14})"$/;
/** More members than anyone needs; the rest are ignored, which can only refuse. */
const MEMBERS_MAX = 50;

export function parseIfMatch(header: string | undefined): Precondition {
  if (header === undefined) return NO_PRECONDITION;
  if (header.trim() === "*") return { kind: "any" };
  const versions = header
    .split(",", MEMBERS_MAX)
    .map((member) => STRONG_VERSION.exec(member.trim())?.[1])
    .filter((version) => version !== undefined)
    .map(Number);
  return { kind: "versions", versions };
}

/** A single expected version, as GraphQL and RPC carry it. */
export function expectVersion(version: number | null | undefined): Precondition {
  return version === null || version === undefined
    ? NO_PRECONDITION
    : { kind: "versions", versions: [version] };
}

export function isSatisfied(precondition: Precondition, version: number): boolean {
  return precondition.kind === "versions" ? precondition.versions.includes(version) : true;
}

/** `If-None-Match` of a GET: weak comparison, `*` matches anything that exists. */
export function isNotModified(header: string | undefined, version: number): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return header
    .split(",", MEMBERS_MAX)
    .some((member) => member.trim().replace(/^W\//, "") === entityTag(version));
}
