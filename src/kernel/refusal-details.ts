/** The shapes that a refusal adds to its code and its sentence, in every protocol. */
import { onFirstCall } from "./on-first-call";
import { count, id, text, uri } from "./output-fields";
import * as z from "./schema";

/** One thing wrong with the input. */
export const violationSchema = onFirstCall(() =>
  z.strictObject({
    pointer: text(500).check(
      z.describe("JSON Pointer as a URI fragment: `#/profile/bio`, `#/query/limit`, `#/header/If-Match`."),
    ),
    code: text(100).check(
      z.describe("Machine-readable reason: `required`, `unknown_field`, `too_long` and the like."),
    ),
    message: text(500).check(z.describe("A sentence for a person. Never echoes the value.")),
  }),
);
export type Violation = z.Model<typeof violationSchema>;

/** A product of which fewer pieces are left than were ordered. */
export const shortageSchema = onFirstCall(() =>
  z.strictObject({ productId: id(), requested: count(), available: count() }),
);
export type Shortage = z.Model<typeof shortageSchema>;

/** A budget that refused. Source: draft-ietf-httpapi-ratelimit-headers-11. */
export const violatedPolicySchema = onFirstCall(() => z.strictObject({ type: uri(200), policy: text(100) }));
export type ViolatedPolicy = z.Model<typeof violatedPolicySchema>;

/** Members of a problem document beside the standard ones. */
export interface RefusalExtensions {
  /** Of `out_of_stock`. */
  readonly products?: readonly Shortage[];
  /** Of `rate_limited`. */
  readonly "violated-policies"?: readonly ViolatedPolicy[];
}
