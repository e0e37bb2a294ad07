/**
 * The standard's words for the limit. Source: draft-ietf-httpapi-ratelimit-headers-11; RFC 9651 (structured fields).
 * Every number is a structured-fields integer, so it is whole and below 10^15.
 */
import type { ViolatedPolicy } from "../../kernel/refusal-details";

/** What the fields are made of: the outcome of an admission. */
export interface RateLimitFigures {
  readonly policy: string;
  readonly limit: number;
  readonly windowSeconds: number;
  /** Units left. */
  readonly remaining: number;
  /** Until more is free. */
  readonly resetSeconds: number;
}

const INTEGER_MAX = 999_999_999_999_999;

/** `RateLimit-Policy`: `"default";q=100;w=900`. */
export function rateLimitPolicyField({ policy, limit, windowSeconds }: RateLimitFigures): string {
  return `${quoted(policy)};q=${whole(limit)};w=${whole(windowSeconds)}`;
}

/** `RateLimit`: `"default";r=99;t=900`. */
export function rateLimitField({ policy, remaining, resetSeconds }: RateLimitFigures): string {
  return `${quoted(policy)};r=${whole(remaining)};t=${whole(resetSeconds)}`;
}

/** The draft's problem type for an exhausted quota, as each entry of a 429 problem's `violated-policies` carries it. */
export const QUOTA_EXCEEDED_TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/** The value of `violated-policies`: which policy refused. */
export function violatedPolicies(policy: string): readonly ViolatedPolicy[] {
  return [{ type: QUOTA_EXCEEDED_TYPE, policy }];
}

/** A structured-fields string. Policy names are our own and plain, so nothing needs escaping but by mistake. */
function quoted(name: string): string {
  return `"${name.replace(/[^\x20-\x7e]/g, "").replace(/["\\]/g, "\\$&")}"`;
}

function whole(value: number): number {
  return Math.max(0, Math.min(INTEGER_MAX, Math.ceil(value)));
}
