/**
 * `/api/auth`: contract and handlers. What answers with a token or is called with a one-time token records nothing under
 * an `Idempotency-Key`: a secret must not lie in a table. Refreshing and logging out are safe to repeat by themselves.
 */

import {
  changePasswordSchema,
  forgotPasswordSchema,
  logInSchema,
  refreshSchema,
  resetPasswordSchema,
  verifyEmailSchema,
} from "../../../services/auth";
import { once } from "../once";
import { answer } from "../problem";
import { newRouter } from "../router";
import { body, idParam } from "../validate";

export const authRoutes = newRouter()
  .post("/login", body(logInSchema), async (c) => {
    const outcome = await c.var.services.auth.logIn(c.req.valid("json"));
    return answer(c, outcome, (logIn) => c.json(logIn, 200, uncached()));
  })
  .post("/refresh", body(refreshSchema), async (c) => {
    const outcome = await c.var.services.auth.refresh(c.req.valid("json").refreshToken);
    return answer(c, outcome, (pair) => c.json(pair, 200, uncached()));
  })
  .post("/logout", async (c) => {
    return answer(c, await c.var.services.auth.logOut(c.var.actor), () => c.body(null, 204));
  })
  .post("/logout-all", async (c) => {
    return answer(c, await c.var.services.auth.logOutAll(c.var.actor), () => c.body(null, 204));
  })
  .get("/sessions", async (c) => {
    const outcome = await c.var.services.auth.listSessions(c.var.actor);
    return answer(c, outcome, (sessions) => c.json({ data: sessions, nextCursor: null }));
  })
  .delete("/sessions/:id", idParam, async (c) => {
    const { actor, services } = c.var;
    return await once<null>(c, { status: 204 }, (attempt) =>
      services.auth.endSession(actor, c.req.valid("param").id, attempt),
    );
  })
  .post("/password/forgot", body(forgotPasswordSchema), async (c) => {
    const { recovery } = c.var.services;
    return await once<null>(c, { status: 202 }, (attempt) =>
      recovery.forgotPassword(c.req.valid("json").email, attempt),
    );
  })
  .post("/password/reset", body(resetPasswordSchema), async (c) => {
    const outcome = await c.var.services.recovery.resetPassword(c.req.valid("json"));
    return answer(c, outcome, () => c.body(null, 204));
  })
  .post("/password/change", body(changePasswordSchema), async (c) => {
    const { actor, services } = c.var;
    return await once<null>(c, { status: 204 }, (attempt) =>
      services.recovery.changePassword(actor, c.req.valid("json"), attempt),
    );
  })
  .post("/email/verify", body(verifyEmailSchema), async (c) => {
    const outcome = await c.var.services.addressProof.verifyEmail(c.req.valid("json").token);
    return answer(c, outcome, () => c.body(null, 204));
  })
  .post("/email/resend", async (c) => {
    const { actor, services } = c.var;
    return await once<null>(c, { status: 202 }, (attempt) =>
      services.addressProof.resendVerification(actor, attempt),
    );
  });

/** Tokens must not lie in any cache. Source: RFC 6749, section 5.1. */
function uncached(): Readonly<Record<string, string>> {
  return { "Cache-Control": "no-store" };
}
