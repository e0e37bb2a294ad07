import { expect, test } from "vitest";
import { AppError } from "../../../src/kernel/errors";
import { Vault } from "../../../src/platform/vault";

const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const OTHER_KEY = "HxwdHhsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA";

test("a secret comes back out, and is stored differently each time", async () => {
  const vault = new Vault(KEY);
  const [first, second] = [
    await vault.encrypt("webhook:1", "whsec_x"),
    await vault.encrypt("webhook:1", "whsec_x"),
  ];
  expect(first).not.toBe(second);
  expect(await vault.decrypt("webhook:1", first)).toBe("whsec_x");
  expect(await vault.decrypt("webhook:1", second)).toBe("whsec_x");
});

test("a secret opens under its own purpose and key alone, and not when a byte has changed", async () => {
  const stored = await new Vault(KEY).encrypt("webhook:1", "whsec_x");
  const altered = `${stored.slice(0, -2)}${stored.endsWith("A") ? "B" : "A"}${stored.slice(-1)}`;
  const attempts = [
    new Vault(KEY).decrypt("webhook:2", stored),
    new Vault(OTHER_KEY).decrypt("webhook:1", stored),
    new Vault(KEY).decrypt("webhook:1", altered),
    new Vault(KEY).decrypt("webhook:1", ""),
    new Vault(KEY).decrypt("webhook:1", "not base64url!"),
  ];
  for (const attempt of attempts) await expect(attempt).rejects.toThrow(AppError);
});
