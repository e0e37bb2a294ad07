/**
 * Holds an answer against the one that a document shows. What differs from run to run (ids, times, tokens, bookmarks,
 * the port) is compared by its shape, everything else must be equal. Pure.
 */

/** In this order: a time contains digits, an id contains hexadecimal ones. */
const SHAPES = [
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}\b/g, "<bookmark>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/g, "<id>"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "<access token>"],
  [/(\?token=)[\w-]{43}(?![\w-])/g, "$1<token>"],
  [/\blocalhost:\d+/g, "<host>"],
  // Seconds that are left of a window, and that a walk took.
  [/(;t=|\bRetry-After: )\d+\b/gi, "$1<seconds>"],
  [/(\bin )\d+( s\b)/g, "$1<seconds>$2"],
];

/** In a shown JSON text, `,...` before a bracket: there is more. */
const MORE = "\u2026";

/** Headers that a document may leave out when it says that it leaves out "some security headers". */
const UNSHOWN_HEADERS =
  /^(cache-control|content-length|content-security-policy|cross-origin-.*|date|origin-agent-cluster|referrer-policy|strict-transport-security|transfer-encoding|vary|x-content-type-options|x-dns-prefetch-control|x-download-options|x-frame-options|x-permitted-cross-domain-policies|x-xss-protection)$/;

/**
 * @param {string} shown
 * @param {string} actual
 * @returns {string[]} how they differ, a line each; empty when the document tells the truth
 */
export function differences(shown, actual) {
  const [wanted, got] = [byShape(shown), byShape(actual)];
  if (!wanted.startsWith("HTTP/1.1 ")) return bodyDifferences(wanted, got);
  const [wantedHead, wantedBody] = splitAnswer(wanted);
  const [gotHead, gotBody] = splitAnswer(got);
  return [...headDifferences(wantedHead, gotHead), ...bodyDifferences(wantedBody, gotBody)];
}

function byShape(text) {
  const unified = text.replaceAll("\r\n", "\n").trim();
  return SHAPES.reduce((current, [pattern, shape]) => current.replace(pattern, shape), unified);
}

function splitAnswer(text) {
  const end = text.indexOf("\n\n");
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end + 2)];
}

/** The order of headers and the case of their names mean nothing. A header that is not shown must be a known one. */
function headDifferences(wantedHead, gotHead) {
  const [wanted, got] = [readHead(wantedHead), readHead(gotHead)];
  const found = [];
  if (wanted.status !== got.status) found.push(`shown ${wanted.status}, got ${got.status}`);
  for (const [name, value] of wanted.headers) {
    const actual = got.headers.get(name);
    if (actual !== value) found.push(`header ${name}: shown ${value}, got ${actual ?? "none"}`);
  }
  for (const name of got.headers.keys()) {
    if (!wanted.headers.has(name) && !UNSHOWN_HEADERS.test(name)) found.push(`header ${name} is not shown`);
  }
  return found;
}

function readHead(head) {
  const [status, ...lines] = head.split("\n");
  const headers = new Map();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status, headers };
}

function bodyDifferences(wanted, got) {
  const [wantedJson, gotJson] = [readJson(wanted), readJson(got)];
  if (wantedJson !== undefined && gotJson !== undefined) return jsonDifferences(wantedJson, gotJson, "");
  return textPattern(wanted).test(`${got}\n`) ? [] : [`shown\n${wanted}\ngot\n${got}`];
}

/** A line `...` stands for any lines, or for none. */
function textPattern(shown) {
  const literal = (line) => line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const lines = shown.split("\n").map((line) => (line === "..." ? "(?:.*\\n)*" : `${literal(line)}\n`));
  return new RegExp(`^${lines.join("")}$`);
}

/** Shown JSON may be broken over lines, for it is long, and may leave members out with `,...`. */
function readJson(text) {
  const whole = text.replace(/,\s*\.\.\.\s*([}\]])/g, (_, end) =>
    end === "}" ? `,"${MORE}":true}` : `,"${MORE}"]`,
  );
  try {
    const value = JSON.parse(whole);
    return typeof value === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}

function jsonDifferences(wanted, got, path) {
  if (!isObject(wanted) || !isObject(got) || Array.isArray(wanted) !== Array.isArray(got)) {
    if (Object.is(wanted, got)) return [];
    return [`${path || "the answer"}: shown ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`];
  }
  const hasMore = Array.isArray(wanted) ? wanted.at(-1) === MORE : MORE in wanted;
  const shown = Object.keys(wanted).filter((key) => key !== MORE && wanted[key] !== MORE);
  const unshown = hasMore ? [] : Object.keys(got).filter((key) => !shown.includes(key));
  return [
    ...shown.flatMap((key) => jsonDifferences(wanted[key], got[key], `${path}/${key}`)),
    ...unshown.map((key) => `${path}/${key} is not shown`),
  ];
}

const isObject = (value) => typeof value === "object" && value !== null;
