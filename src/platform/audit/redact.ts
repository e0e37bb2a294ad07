/** What must not lie in an audit row, whoever wrote it: secrets, and what a deleted user has a right to see gone. */

const SENSITIVE = /password|secret|token|hash|digest|mail|address|authorization|cookie|name|bio/i;
const DEPTH_MAX = 4;
const TEXT_MAX = 200;
const MEMBERS_MAX = 50;

/** A copy with sensitive members replaced by `[redacted]`, long text cut, and depth and breadth bounded. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}...` : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return "[deeper]";
  if (Array.isArray(value)) return value.slice(0, MEMBERS_MAX).map((member) => redact(member, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MEMBERS_MAX)
      .map(([name, member]) => [name, SENSITIVE.test(name) ? "[redacted]" : redact(member, depth + 1)]),
  );
}
