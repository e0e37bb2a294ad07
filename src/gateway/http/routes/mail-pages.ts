/** The pages that mails link to. */
import { type Context, Hono } from "hono";
import type { GatewayEnv } from "../../request-context";
import { resetPasswordPage, verifyEmailPage } from "../pages/mail-pages";

export const mailPagesRoutes = new Hono<GatewayEnv>()
  .get("/verify-email", (c) => unkept(c, verifyEmailPage()))
  .get("/reset-password", (c) => unkept(c, resetPasswordPage()));

/** Their address carries a token: nothing on the way keeps the answer under it. */
function unkept(c: Context<GatewayEnv>, page: ReturnType<typeof verifyEmailPage>) {
  c.header("Cache-Control", "no-store");
  return c.html(page);
}
