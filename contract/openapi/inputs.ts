/** The schemas that validate bodies, by the name that the document gives each. */
import type * as z from "../../src/kernel/schema";
import {
  changePasswordSchema,
  forgotPasswordSchema,
  logInSchema,
  refreshSchema,
  resetPasswordSchema,
  verifyEmailSchema,
} from "../../src/services/auth";
import { discardSchema, replaySchema } from "../../src/services/operations/events";
import { setLimitSchema } from "../../src/services/operations/limits";
import {
  changeOrderStatusSchema,
  createProductSchema,
  patchProductSchema,
  placeOrderSchema,
} from "../../src/services/orders";
import { patchUserSchema, replaceUserSchema, signUpSchema } from "../../src/services/users";
import { createWebhookSchema, patchWebhookSchema } from "../../src/services/webhooks";

export const INPUTS = {
  SignUpInput: signUpSchema(),
  ReplaceUserInput: replaceUserSchema(),
  PatchUserInput: patchUserSchema(),
  LogInInput: logInSchema(),
  RefreshInput: refreshSchema(),
  ForgotPasswordInput: forgotPasswordSchema(),
  ResetPasswordInput: resetPasswordSchema(),
  ChangePasswordInput: changePasswordSchema(),
  VerifyEmailInput: verifyEmailSchema(),
  CreateProductInput: createProductSchema(),
  PatchProductInput: patchProductSchema(),
  PlaceOrderInput: placeOrderSchema(),
  ChangeOrderStatusInput: changeOrderStatusSchema(),
  DiscardInput: discardSchema(),
  ReplayInput: replaySchema(),
  CreateWebhookInput: createWebhookSchema(),
  PatchWebhookInput: patchWebhookSchema(),
  SetLimitInput: setLimitSchema(),
} as const satisfies Readonly<Record<string, z.ZodMiniType>>;
export type InputName = keyof typeof INPUTS;
