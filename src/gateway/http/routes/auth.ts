/**
 * `/api/auth`: names and shapes. What answers with a token or is called with a one-time token records nothing under an
 * `Idempotency-Key`, because a table must not hold a secret. Refreshing and logging out are safe to repeat by themselves.
 */
import { reply } from "../answers";
import { inputOf, perform } from "../perform";
import { answer } from "../problem";
import { newRouter } from "../router";
import { body, idParam } from "../validate";

export const authRoutes = newRouter()
  .post("/login", body(inputOf("auth.logIn")), async (c) => {
    return reply(c, await perform(c, "auth.logIn", null, c.req.valid("json")), { status: 200 });
  })
  .post("/refresh", body(inputOf("auth.refresh")), async (c) => {
    return reply(c, await perform(c, "auth.refresh", null, c.req.valid("json")), { status: 200 });
  })
  .post("/logout", async (c) => {
    return reply(c, await perform(c, "auth.logOut", null, null), { status: 204 });
  })
  .post("/logout-all", async (c) => {
    return reply(c, await perform(c, "auth.logOutAll", null, null), { status: 204 });
  })
  .get("/sessions", async (c) => {
    const outcome = await perform(c, "auth.listSessions", null, null);
    return answer(c, outcome, (sessions) => c.json({ data: sessions, nextCursor: null }));
  })
  .delete("/sessions/:id", idParam, async (c) => {
    return reply(c, await perform(c, "auth.endSession", c.req.valid("param").id, null), { status: 204 });
  })
  .post("/password/forgot", body(inputOf("recovery.forgotPassword")), async (c) => {
    return reply(c, await perform(c, "recovery.forgotPassword", null, c.req.valid("json")), { status: 202 });
  })
  .post("/password/reset", body(inputOf("recovery.resetPassword")), async (c) => {
    return reply(c, await perform(c, "recovery.resetPassword", null, c.req.valid("json")), { status: 204 });
  })
  .post("/password/change", body(inputOf("recovery.changePassword")), async (c) => {
    return reply(c, await perform(c, "recovery.changePassword", null, c.req.valid("json")), { status: 204 });
  })
  .post("/email/verify", body(inputOf("address-proof.verifyEmail")), async (c) => {
    return reply(c, await perform(c, "address-proof.verifyEmail", null, c.req.valid("json")), {
      status: 204,
    });
  })
  .post("/email/resend", async (c) => {
    return reply(c, await perform(c, "address-proof.resendVerification", null, null), { status: 202 });
  });
