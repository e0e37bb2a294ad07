/** The pages that mails link to. */
import type { Context } from "hono";
import type { GatewayEnv } from "../../request-context";
import { resetPasswordPage, verifyEmailPage } from "../pages/mail-pages";
import { newRouter } from "../router";

export const mailPagesRoutes = newRouter()
  .get("/verify-email", (c) => unkept(c, verifyEmailPage()))
  .get("/reset-password", (c) => unkept(c, resetPasswordPage()));

/** Their address carries a token: nothing on the way keeps the answer under it. */
function unkept(c: Context<GatewayEnv>, page: ReturnType<typeof verifyEmailPage>) {
  c.header("Cache-Control", "no-store");
  return c.html(page);
}
