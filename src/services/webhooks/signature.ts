/** Signatures by Standard Webhooks. Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md */
import { utf8 } from "../../platform/encoding";
import { hmacUnder } from "../../platform/hmac";

const PREFIX = "whsec_";
const SECRET_BYTES = 32;

interface SignedMessage {
  /** The event's id: the same on each repetition, so that a receiver can drop what it has seen. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

/** @param random 32 bytes */
export function newSecret(random: Uint8Array): string {
  return `${PREFIX}${random.subarray(0, SECRET_BYTES).toBase64()}`;
}

/** The headers of one delivery, signed with every secret that is valid now. */
export async function signedHeaders(
  message: SignedMessage,
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const content = `${message.id}.${message.timestamp}.${message.body}`;
  const signatures = await Promise.all(secrets.map((secret) => sign(secret, content)));
  return {
    "webhook-id": message.id,
    "webhook-timestamp": String(message.timestamp),
    "webhook-signature": signatures.map((signature) => `v1,${signature}`).join(" "),
  };
}

async function sign(secret: string, content: string): Promise<string> {
  const hmac = hmacUnder(() => Uint8Array.fromBase64(secret.slice(PREFIX.length)));
  return (await hmac(utf8(content))).toBase64();
}
