/** Where a login came from, in words that its owner recognises and that say no more than that. */

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPod/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/Linux/, "Linux"],
];

/** The first that matches: browsers name those they descend from. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg(?:e|A|iOS)?\//, "Edge"],
  [/OPR\/|Opera/, "Opera"],
  [/SamsungBrowser\//, "Samsung Internet"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/Chrome\/|CriOS\//, "Chrome"],
  [/Safari\//, "Safari"],
];

const UNKNOWN_DEVICE = "Unknown device";
const USER_AGENT_LENGTH_MAX = 512;
const PLACE_LENGTH_MAX = 100;

/** `Firefox on Linux`; a program's own name (`curl`) without its version; `Unknown device`. */
export function deviceLabel(userAgent: string | null | undefined): string {
  const text = (userAgent ?? "").slice(0, USER_AGENT_LENGTH_MAX);
  const browser = BROWSERS.find(([pattern]) => pattern.test(text))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(text))?.[1];
  if (browser !== undefined) return system === undefined ? browser : `${browser} on ${system}`;
  if (system !== undefined) return system;
  return /^[A-Za-z][A-Za-z0-9 ._-]{0,39}(?=\/|$)/.exec(text)?.[0] ?? UNKNOWN_DEVICE;
}

/** `Lisbon, PT`, `PT`, or null: what the edge looked up (`request.cf`) from the address, which itself is not kept. */
export function locationLabel(cf: object | null | undefined): string | null {
  const place: { readonly city?: unknown; readonly country?: unknown } = cf ?? {};
  const parts = [place.city, place.country].filter(
    (part): part is string => typeof part === "string" && part !== "",
  );
  return parts.length === 0 ? null : parts.join(", ").slice(0, PLACE_LENGTH_MAX);
}
