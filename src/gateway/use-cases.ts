/**
 * Every use case, one line each: what it is about, its input, what kind it is, and the service that runs it. REST, GraphQL,
 * RPC and service bindings translate names and errors only; `run-use-case.ts` does for each of them what a line says.
 *
 * A name is stored with the answers under an `Idempotency-Key`, and names the span: do not rename one that was deployed.
 */
import { done, type Outcome, refuseNotFound } from "../kernel/errors";
import { onFirstCall } from "../kernel/on-first-call";
import * as z from "../kernel/schema";
import {
  changePasswordSchema,
  forgotPasswordSchema,
  type LogIn,
  logInSchema,
  refreshSchema,
  resetPasswordSchema,
  verifyEmailSchema,
} from "../services/auth";
import { signupsQuery } from "../services/operations/analytics";
import {
  discardSchema,
  listDeadLettersSchema,
  listEventsSchema,
  replaySchema,
} from "../services/operations/events";
import { parseLimitSubject, setLimitSchema } from "../services/operations/limits";
import { metrics } from "../services/operations/metrics/isolate-metrics";
import {
  changeOrderStatusSchema,
  createProductSchema,
  listOrdersSchema,
  listProductsSchema,
  patchProductSchema,
  placeOrderSchema,
} from "../services/orders";
import { listUsersSchema, patchUserSchema, replaceUserSchema, signUpSchema } from "../services/users";
import { createWebhookSchema, listWebhooksSchema, patchWebhookSchema } from "../services/webhooks";
import { auditQuerySchema, listAuditEntries } from "./audit-entries";
import { idSchema as id } from "./input";
import { verifyPresented } from "./presented-token";
import { batched, change, list, read, type StreamedUseCase, unrecorded, write } from "./use-case";

/** What `:client` of a limit's path names. */
const limitSubject = onFirstCall(() =>
  z.pipe(
    z.string(),
    z.transform((text, context) => {
      const subject = parseLimitSubject(text);
      if (subject !== null) return subject;
      const message = "Must name a user, an address or a plan.";
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    }),
  ),
);

/** What is no token at all is refused as a bad token. */
const presentedToken = onFirstCall(() => z.unknown());

// biome-ignore format: one line a use case, as far as it fits.
export const USE_CASES = {
  "users.signUp": write(null, signUpSchema, ({ users }, call, _, input) => users.signUp(call, input)),
  "users.list": list(listUsersSchema, ({ users }, call, _, query) => users.list(call, query),
    ({ users }, call, query, user) => users.cursorOf(call, query, user)),
  // Mostly answered from the isolate's memory. A read that goes further has the span of the cache.
  "users.get": batched(read(id, null, ({ users }, call, id) => users.get(call, id), { hasSpan: false }),
    ({ users }, call, ids) => users.getMany(call, ids)),
  "users.replace": change(id, replaceUserSchema, ({ users }, call, id, input) => users.replace(call, id, input)),
  "users.patch": change(id, patchUserSchema, ({ users }, call, id, patch) => users.patch(call, id, patch)),
  "users.delete": change(id, null, ({ users }, call, id) => users.delete(call, id)),

  "auth.logIn": unrecorded(null, logInSchema, ({ auth }, call, _, input) => auth.logIn(call, input), { isSecret: true, observe: countLogIn }),
  "auth.refresh": unrecorded(null, refreshSchema, ({ auth }, call, _, { refreshToken }) => auth.refresh(call, refreshToken), { isSecret: true }),
  "auth.verifyToken": read(null, presentedToken, (services, _call, _, presented) => verifyPresented(services, presented)),
  "auth.listSessions": read(null, null, ({ auth }, call) => auth.listSessions(call)),
  "auth.endSession": write(id, null, ({ auth }, call, id) => auth.endSession(call, id)),
  "auth.logOut": unrecorded(null, null, ({ auth }, call) => auth.logOut(call)),
  "auth.logOutAll": unrecorded(null, null, ({ auth }, call) => auth.logOutAll(call)),
  "recovery.forgotPassword": write(null, forgotPasswordSchema, ({ recovery }, call, _, { email }) => recovery.forgotPassword(call, email)),
  "recovery.resetPassword": unrecorded(null, resetPasswordSchema, ({ recovery }, call, _, input) => recovery.resetPassword(call, input)),
  "recovery.changePassword": write(null, changePasswordSchema, ({ recovery }, call, _, input) => recovery.changePassword(call, input)),
  "address-proof.verifyEmail": unrecorded(null, verifyEmailSchema, ({ addressProof }, call, _, { token }) => addressProof.verifyEmail(call, token)),
  "address-proof.resendVerification": write(null, null, ({ addressProof }, call) => addressProof.resendVerification(call)),

  "products.create": write(null, createProductSchema, ({ products }, call, _, input) => products.create(call, input)),
  "products.list": list(listProductsSchema, ({ products }, call, _, query) => products.list(call, query),
    ({ products }, call, query, product) => products.cursorOf(call, query, product)),
  "products.get": batched(read(id, null, ({ products }, call, id) => products.get(call, id)),
    async ({ products }, call, ids) => outcomesOf(ids, await products.getMany(call, ids))),
  "products.patch": change(id, patchProductSchema, ({ products }, call, id, patch) => products.patch(call, id, patch)),
  "products.delete": change(id, null, ({ products }, call, id) => products.delete(call, id)),

  "orders.place": write(null, placeOrderSchema, ({ orders }, call, _, input) => orders.place(call, input)),
  "orders.list": batched(list(listOrdersSchema, ({ orders }, call, _, query) => orders.list(call, query),
    ({ orders }, call, query, order) => orders.cursorOf(call, query, order)),
    ({ orders }, call, userIds, query) => orders.listOfUsers(call, userIds, query)),
  "orders.get": read(id, null, ({ orders }, call, id) => orders.get(call, id)),
  "orders.history": read(id, null, ({ orders }, call, id) => orders.history(call, id)),
  "orders.changeStatus": change(id, changeOrderStatusSchema, ({ orders }, call, id, input) => orders.changeStatus(call, id, input)),

  "webhooks.create": write(null, createWebhookSchema, ({ webhooks }, call, _, input) => webhooks.create(call, input)),
  "webhooks.list": read(null, listWebhooksSchema, ({ webhooks }, call, _, query) => webhooks.list(call, query)),
  "webhooks.get": read(id, null, ({ webhooks }, call, id) => webhooks.get(call, id)),
  "webhooks.patch": write(id, patchWebhookSchema, ({ webhooks }, call, id, patch) => webhooks.patch(call, id, patch)),
  "webhooks.remove": write(id, null, ({ webhooks }, call, id) => webhooks.remove(call, id)),
  "webhooks.rotateSecret": write(id, null, ({ webhooks }, call, id) => webhooks.rotateSecret(call, id)),
  "webhooks.sendTest": write(id, null, ({ webhooks }, call, id) => webhooks.sendTest(call, id)),
  "webhooks.deliveries": read(id, listWebhooksSchema, ({ webhooks }, call, id, query) => webhooks.deliveries(call, id, query)),

  "events.list": read(null, listEventsSchema, ({ events }, call, _, query) => events.list(call, query)),
  "events.ledger": read(id, null, ({ events }, call, id) => events.ledger(call, id)),
  "events.listDeadLetters": read(null, listDeadLettersSchema, ({ events }, call, _, query) => events.listDeadLetters(call, query)),
  "events.replay": write(id, null, ({ events }, call, id) => events.replay(call, id)),
  "events.discard": write(id, discardSchema, ({ events }, call, id, input) => events.discard(call, id, input)),
  "events.replayMany": write(null, replaySchema, ({ events }, call, _, input) => events.replayMany(call, input)),

  "limits.show": read(limitSubject, null, ({ limits }, call, subject) => limits.show(call, subject)),
  "limits.set": unrecorded(limitSubject, setLimitSchema, ({ limits }, call, subject, input) => limits.set(call, subject, input)),
  "limits.clear": unrecorded(limitSubject, null, ({ limits }, call, subject) => limits.clear(call, subject)),
  "analytics.signups": read(null, signupsQuery, ({ analytics }, call, _, query) => analytics.signups(call, query)),
  "audit.list": read(null, auditQuerySchema, ({ audit }, call, _, query) => listAuditEntries(audit, call, query)),
} as const;

/** Use cases with outcomes until they end. */
export const STREAMS = {
  "orders.watch": {
    target: id,
    async *stream({ orders }, call, id, signal) {
      const { watchOrder } = await import("./watch-order");
      yield* watchOrder(() => orders.get(call, id), signal);
    },
  } satisfies StreamedUseCase<typeof id, unknown>,
} as const;

/** Logins leave no event, so their metrics are counted here. */
function countLogIn(outcome: Outcome<LogIn>): void {
  if (outcome.ok) metrics().count("logins_total", {});
  else metrics().count("login_failures_total", { reason: outcome.refusal.code });
}

/** One outcome for each id, in their order. */
function outcomesOf<T extends { readonly id: string }>(
  ids: readonly string[],
  found: readonly T[],
): readonly Outcome<T>[] {
  const byId = new Map(found.map((item) => [item.id, item]));
  return ids.map((id) => {
    const item = byId.get(id);
    return item === undefined ? refuseNotFound() : done(item);
  });
}
