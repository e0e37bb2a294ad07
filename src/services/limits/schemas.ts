/** What an administrator may set. */
import * as z from "zod";
import type { LimitNumbers } from "./model";

const WINDOW_SECONDS_DEFAULT = 900;

/** Numbers of its own, or a plan's. A plan itself takes numbers only. */
export type SetLimitInput = LimitNumbers | { readonly plan: string };

export const setLimitSchema = z
  .strictObject({
    limit: z.int().min(1).max(1_000_000).optional(),
    windowSeconds: z.int().min(1).max(86_400).optional(),
    isShadow: z.boolean().optional(),
    plan: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,39}$/)
      .meta({ maxLength: 40 })
      .optional(),
  })
  .transform(({ plan, limit, windowSeconds, isShadow }, context): SetLimitInput => {
    const hasNumbers = limit !== undefined || windowSeconds !== undefined || isShadow !== undefined;
    if (plan !== undefined && !hasNumbers) return { plan };
    if (plan === undefined && limit !== undefined) {
      return { limit, windowSeconds: windowSeconds ?? WINDOW_SECONDS_DEFAULT, isShadow: isShadow ?? false };
    }
    context.addIssue(
      plan === undefined
        ? { code: "custom", path: ["limit"], message: "Is required.", params: { code: "required" } }
        : { code: "custom", path: ["plan"], message: "Comes without numbers.", params: { code: "conflict" } },
    );
    return z.NEVER;
  });
