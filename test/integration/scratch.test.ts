import { expect, test } from "vitest";
import { createAdmin } from "../support/accounts";
import { storeUser } from "../support/stored-user";
test("A: concurrent without user read", async () => {
  const admin = await createAdmin();
  await admin.call("/api/users/me");
  const answers = await Promise.all(Array.from({ length: 12 }, () => admin.call(`/api/users/nope`)));
  console.log("A", answers.map((a) => a.status));
});
test("B: concurrent warm", async () => {
  const admin = await createAdmin();
  await admin.call("/api/users/me");
  const answers = await Promise.all(Array.from({ length: 12 }, () => admin.call(`/api/users/me`)));
  console.log("B", answers.map((a) => a.status));
});
test("C: concurrent list (d1 only)", async () => {
  const admin = await createAdmin();
  await admin.call("/api/users/me");
  const answers = await Promise.all(Array.from({ length: 6 }, () => admin.call(`/api/users`)));
  console.log("C", answers.map((a) => a.status));
});
