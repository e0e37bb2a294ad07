/** What is refused in text that people will see: see DESIGN "Names", and the Trojan Source paper (CVE-2021-42574). */

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the point.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above, but tab and line breaks are allowed.
const CONTROL_BUT_BREAKS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
const BIDI_OVERRIDE = /[\u202a-\u202e\u2066-\u2069]/;

/** As `isPlainLine`, for readers of JSON Schema; lone surrogates are not text there. */
export const PLAIN_LINE_PATTERN = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]*$";
/** As `isPlainText`, for readers of JSON Schema. */
export const PLAIN_TEXT_PATTERN =
  "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]*$";

/** True for one line of text in any script without control characters, lone surrogates or bidirectional overrides. */
export function isPlainLine(value: string): boolean {
  return !CONTROL.test(value) && !BIDI_OVERRIDE.test(value) && value.isWellFormed();
}

/** As `isPlainLine`, with tab, line feed and carriage return allowed. */
export function isPlainText(value: string): boolean {
  return !CONTROL_BUT_BREAKS.test(value) && !BIDI_OVERRIDE.test(value) && value.isWellFormed();
}

/** Length as people count: code points, not UTF-16 units. */
export function codePoints(value: string): number {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
}
