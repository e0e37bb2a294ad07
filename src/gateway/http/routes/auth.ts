/**
 * `/api/auth`: contract and handlers. Refreshing and logging out are safe to repeat by themselves: they record nothing
 * under an `Idempotency-Key`.
 */
import { Hono } from "hono";
import {
  changePasswordSchema,
  forgotPasswordSchema,
  type LogIn,
  logInSchema,
  refreshSchema,
  resetPasswordSchema,
  verifyEmailSchema,
} from "../../../services/auth";
import type { GatewayEnv } from "../../request-context";
import { once } from "../once";
import { answer } from "../problem";
import { body, idParam } from "../validate";

export const authRoutes = new Hono<GatewayEnv>()
  .post("/login", body(logInSchema), async (c) => {
    const { auth } = c.var.services;
    return await once<LogIn>(c, { status: 200, headers: uncached }, (attempt) =>
      auth.logIn(c.req.valid("json"), attempt),
    );
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
    const { recovery } = c.var.services;
    return await once<null>(c, { status: 204 }, (attempt) =>
      recovery.resetPassword(c.req.valid("json"), attempt),
    );
  })
  .post("/password/change", body(changePasswordSchema), async (c) => {
    const { actor, services } = c.var;
    return await once<null>(c, { status: 204 }, (attempt) =>
      services.recovery.changePassword(actor, c.req.valid("json"), attempt),
    );
  })
  .post("/email/verify", body(verifyEmailSchema), async (c) => {
    const { recovery } = c.var.services;
    return await once<null>(c, { status: 204 }, (attempt) =>
      recovery.verifyEmail(c.req.valid("json").token, attempt),
    );
  })
  .post("/email/resend", async (c) => {
    const { actor, services } = c.var;
    return await once<null>(c, { status: 202 }, (attempt) =>
      services.recovery.resendVerification(actor, attempt),
    );
  });

/** Tokens must not lie in any cache. Source: RFC 6749, section 5.1. */
function uncached(): Readonly<Record<string, string>> {
  return { "Cache-Control": "no-store" };
}
