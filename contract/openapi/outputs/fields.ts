/** What the API's answers are made of: fields that many of them share, and objects checked against their models. */
import * as z from "zod";
import { CURRENCIES } from "../../../src/kernel/money";

type ShapeOf<T> = { readonly [K in keyof Required<T>]: z.ZodType<T[K]> };

/** An object with exactly the members of `T`. */
export function model<T extends object>() {
  return <S extends ShapeOf<T>>(shape: S & Record<Exclude<keyof S, keyof T>, never>): z.ZodObject<S> =>
    z.strictObject(shape as S);
}

export const id = z.uuid().max(36);
export const time = z.iso.datetime().max(35);
export const text = (max: number) => z.string().max(max);
export const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
export const version = z
  .int()
  .min(1)
  .max(2_147_483_647)
  .describe("From 1, one more with each change; the entity tag.");
export const currency = z.enum(CURRENCIES).describe("ISO 4217.");
export const token = text(4_096);
export const clientKey = text(100).describe("`user:<id>`, `ip:<address>` or `unknown`.");
export const eventType = text(100).regex(/^[a-z_]+(?:\.[a-z_]+)+$/);
