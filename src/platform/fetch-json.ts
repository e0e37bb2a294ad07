/** JSON from somebody else's server: in time, of bounded size, and from the address asked for. */
import { AppError } from "../kernel/errors";

const DEADLINE_MS = 3_000;
const BYTES_MAX = 64 * 1024;

/** A function of an address. **Errors**: `unavailable` for anything but 200 with JSON of at most 64 KiB within 3 s. */
export type FetchJson = (url: string) => Promise<unknown>;

export const fetchJson: FetchJson = async (url) => {
  try {
    const response = await fetch(url, {
      headers: { Accept: "application/json" },
      // An operator vouched for this address, not for where it may lead.
      redirect: "manual",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    return JSON.parse(await boundedText(response));
  } catch (cause) {
    throw new AppError("unavailable", "another server's JSON could not be had", { cause });
  }
};

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BYTES_MAX) throw new Error("too large");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
