/** What the limits service takes and answers. */
import { onFirstCall } from "../../../kernel/on-first-call";
import { clientKey, count, text } from "../../../kernel/output-fields";
import * as z from "../../../kernel/schema";

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

const limitNumbersSchema = onFirstCall(() =>
  z.strictObject({
    limit: z.int().check(z.minimum(1), z.maximum(1_000_000)),
    windowSeconds: z.int().check(z.minimum(15), z.maximum(86_400)),
    isShadow: z.boolean().check(z.describe("Counts and reports, but refuses no request.")),
  }),
);
export type LimitNumbers = z.Model<typeof limitNumbersSchema>;

export const clientLimitSchema = onFirstCall(() =>
  z.strictObject({
    ...limitNumbersSchema().shape,
    client: clientKey(),
    source: z.enum(["default", "plan", "override"]).check(z.describe("Where the numbers come from.")),
    plan: z.nullable(text(40)),
    current: z.strictObject({
      spent: count().check(
        z.describe("Requests of the window, with those leased to servers and not spent yet."),
      ),
      remaining: count(),
      resetSeconds: count().check(
        z.describe("Until the first of them is free again; 0 when there is no request."),
      ),
      openLeases: count(),
    }),
  }),
);
export type ClientLimit = z.Model<typeof clientLimitSchema>;

export const planLimitSchema = onFirstCall(() =>
  z.strictObject({
    ...limitNumbersSchema().shape,
    plan: text(40),
    clients: z.array(clientKey()).check(z.maxLength(1_000)),
  }),
);
export type PlanLimit = z.Model<typeof planLimitSchema>;
