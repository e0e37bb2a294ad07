/** Fields that the output schemas of several services share. Each call makes one. */
import { CURRENCIES, isCurrency } from "./money";
import * as z from "./schema";

/** @param max characters */
export const text = (max: number) => z.string().check(z.maxLength(max));

export const id = () => z.uuid().check(z.maxLength(36));

/** RFC 3339, UTC. */
export const time = () => z.iso.datetime().check(z.maxLength(35));

export const count = () => z.int().check(z.minimum(0), z.maximum(Number.MAX_SAFE_INTEGER));

export const address = () => text(254).check(z.meta({ format: "email" }));

/** @param max characters */
export const uri = (max: number) => text(max).check(z.meta({ format: "uri" }));

export const version = () =>
  z
    .int()
    .check(
      z.minimum(1),
      z.maximum(2_147_483_647),
      z.describe("From 1, one more with each change; the entity tag."),
    );

export const currency = () =>
  z.string().check(z.refine(isCurrency), z.meta({ enum: CURRENCIES }), z.describe("ISO 4217."));

export const eventType = () => text(100).check(z.regex(/^[a-z_]+(?:\.[a-z_]+)+$/));

export const clientKey = () => text(100).check(z.describe("`user:<id>`, `ip:<address>` or `unknown`."));
