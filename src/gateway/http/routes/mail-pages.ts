/** The pages that mails link to. */
import type { Context } from "hono";
import type { HtmlEscapedString } from "hono/utils/html";
import type { GatewayEnv } from "../../request-context";
import { newRouter } from "../router";

export const mailPagesRoutes = newRouter()
  .get("/verify-email", async (c) => unkept(c, (await import("../pages")).verifyEmailPage()))
  .get("/reset-password", async (c) => unkept(c, (await import("../pages")).resetPasswordPage()));

/** Their address carries a token: nothing on the way keeps the answer under it. */
function unkept(c: Context<GatewayEnv>, page: HtmlEscapedString | Promise<HtmlEscapedString>) {
  c.header("Cache-Control", "no-store");
  return c.html(page);
}
