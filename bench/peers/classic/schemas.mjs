/** Input rules, with zod: Meridian's, without those about scripts and control characters. Unknown fields are refused. */
import * as z from "zod";
import { Problem } from "./problem.mjs";

const uuid = z.string().toLowerCase().pipe(z.uuid());
const email = z.email().max(254);
const name = z.string().trim().min(3).max(100);
const age = z.int().min(1).max(150).nullish();
const profile = z
  .strictObject({
    bio: z.string().max(2_000).nullish(),
    avatarUrl: z
      .url({ protocol: /^https?$/ })
      .max(2_048)
      .nullish(),
    locale: z.string().max(35).nullish(),
    timezone: z.string().max(64).nullish(),
  })
  .nullish();
const role = z.enum(["user", "admin"]);
const page = {
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
};

const password = z.string().min(12).max(128);
export const signUp = z.strictObject({ name, email, password: password.nullish(), age, profile });
export const logIn = z.strictObject({ email, password: z.string().min(1).max(1_024) });
export const patchUser = z.strictObject({
  name: name.optional(),
  email: email.optional(),
  age,
  profile,
  role: role.optional(),
});
export const listUsers = z.object({
  ...page,
  sort: z.enum(["createdAt", "-createdAt", "name", "-name"]).default("-createdAt"),
  role: role.optional(),
});
export const listProducts = z.object(page);
export const listOrders = z.object({ ...page, userId: uuid.optional() });
export const orderStatus = z.strictObject({
  status: z.enum(["pending", "paid", "shipped", "delivered", "cancelled", "refunded"]),
});
export const createProduct = z.strictObject({
  sku: z.string().trim().min(1).max(64),
  name: z.string().trim().min(1).max(200),
  priceMinor: z.int().min(0).max(100_000_000_000),
  currency: z.string().length(3),
  stock: z.int().min(0).max(1_000_000_000),
});
export const placeOrder = z.strictObject({
  items: z
    .array(z.strictObject({ productId: uuid, quantity: z.int().min(1).max(1_000) }))
    .min(1)
    .max(50)
    .refine((items) => new Set(items.map(({ productId }) => productId)).size === items.length),
});

/** The body by its schema. **Errors**: `unsupported_media_type`; `validation_failed`. */
export function bodyOf(req, schema) {
  if (req.is("json", "merge-patch+json") === false)
    throw new Problem("unsupported_media_type", "Send the body as `application/json` in UTF-8.");
  return valid(schema, req.body ?? {}, "#");
}

/** The query by its schema. **Errors**: `validation_failed`. */
export function queryOf(req, schema) {
  return valid(schema, req.query, "#/query");
}

/** `:id` of the path. **Errors**: `validation_failed`. */
export function idOf(req) {
  return valid(uuid, req.params.id, "#/path/id");
}

function valid(schema, input, root) {
  const { success, data, error } = schema.safeParse(input);
  if (success) return data;
  const errors = error.issues.map(({ path, code, message }) => ({
    pointer: [root, ...path].join("/"),
    code,
    message,
  }));
  throw new Problem("validation_failed", "The request is not valid; `errors` points at each field.", {
    errors,
  });
}
