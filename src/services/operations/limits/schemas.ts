/** What an administrator may set. */
import { onFirstCall } from "../../../kernel/on-first-call";
import * as z from "../../../kernel/schema";
import type { LimitNumbers } from "./model";

const WINDOW_SECONDS_DEFAULT = 900;

/** Numbers of its own, or a plan's. A plan itself takes numbers only. */
export type SetLimitInput = LimitNumbers | { readonly plan: string };

const upTo = (max: number) => z.optional(z.int().check(z.minimum(1), z.maximum(max)));

export const setLimitSchema = onFirstCall(() =>
  z.pipe(
    z.strictObject({
      limit: upTo(1_000_000),
      windowSeconds: upTo(86_400),
      isShadow: z.optional(z.boolean()),
      plan: z.optional(z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,39}$/), z.meta({ maxLength: 40 }))),
    }),
    z.transform(({ plan, limit, windowSeconds, isShadow }, context): SetLimitInput => {
      const hasNumbers = limit !== undefined || windowSeconds !== undefined || isShadow !== undefined;
      if (plan !== undefined && !hasNumbers) return { plan };
      if (plan === undefined && limit !== undefined) {
        return { limit, windowSeconds: windowSeconds ?? WINDOW_SECONDS_DEFAULT, isShadow: isShadow ?? false };
      }
      const [field, message, code] =
        plan === undefined
          ? ["limit", "Is required.", "required"]
          : ["plan", "Comes without numbers.", "conflict"];
      context.issues.push({ code: "custom", path: [field], message, params: { code }, input: plan });
      return z.NEVER;
    }),
  ),
);
