/**
 * The name of a stored number, as text: `name`, the label values, and for a histogram which of its numbers it is, each
 * on a line of its own. The objects that add deltas up know nothing of metrics, only these.
 *
 *     http_requests_total                 http_request_duration_seconds
 *     /api/users/:id                      /api/users/:id
 *     GET                                 rest
 *     200                                 le 0.05      (or: le +Inf, or: sum)
 *     rest
 */
import { kept } from "../../isolate";

/** A label value's length at most: what is longer names nothing that an operator would look for. */
const LABEL_LENGTH_MAX = 120;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they would end a line of the key, or of the exposition.
const UNSAFE = /[\u0000-\u001f\u007f\u2028\u2029]/;

export interface SeriesKey {
  readonly name: string;
  readonly labelValues: readonly string[];
}

export function encodeSeriesKey(name: string, labelValues: readonly string[]): string {
  let key = name;
  for (const value of labelValues) key += `\n${bounded(value)}`;
  return key;
}

export function decodeSeriesKey(key: string): SeriesKey {
  const [name = "", ...labelValues] = key.split("\n");
  return { name, labelValues };
}

/** Values judged before: a metric has few, and every request names some of them. */
const judged = kept(() => new Map<string, string>());
const JUDGED_MAX = 1_000;

function bounded(value: string): string {
  const known = judged().get(value);
  if (known !== undefined) return known;
  const safe = judge(value);
  if (judged().size < JUDGED_MAX) judged().set(value, safe);
  return safe;
}

function judge(value: string): string {
  const short = value.length > LABEL_LENGTH_MAX ? value.slice(0, LABEL_LENGTH_MAX) : value;
  const isSafe = short.isWellFormed() && !UNSAFE.test(short);
  return isSafe ? short : short.toWellFormed().replaceAll(new RegExp(UNSAFE, "g"), " ");
}
