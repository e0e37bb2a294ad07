/** The schema's builder: which context, scalars and shapes the types are written in. */
import SchemaBuilder, { type ObjectRef } from "@pothos/core";
import { ROLES, type Role } from "../../../kernel/actor";
import { ORDER_STATUSES, type OrderStatus } from "../../../services/orders";
import type { GraphqlContext } from "../call-context";

interface SchemaTypes {
  Context: GraphqlContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: string; Output: string };
    MinorUnits: { Input: number; Output: number };
  };
}

export const builder = new SchemaBuilder<SchemaTypes>({ defaultFieldNullability: false });

/** A type of the schema over a model of the services. */
export type NodeRef<Model> = ObjectRef<typeof builder.$inferSchemaTypes, Model>;

builder.scalarType("DateTime", {
  description: "An RFC 3339 time, in UTC in answers.",
  serialize: (value) => value,
  parseValue: String,
});

builder.scalarType("MinorUnits", {
  description:
    "An amount in minor units of its currency: whole, and up to 2^53, which is more than Int holds.",
  serialize: (value) => value,
});

export const RoleEnum = builder.enumType("Role", {
  values: valuesOf<Role>(ROLES),
});

export const OrderStatusEnum = builder.enumType("OrderStatus", {
  description:
    "pending -> paid -> shipped -> delivered; pending or paid -> cancelled; paid, shipped or delivered -> refunded.",
  values: valuesOf<OrderStatus>(ORDER_STATUSES),
});

/** `pending` is PENDING to a client. */
function valuesOf<Value extends string>(values: readonly Value[]) {
  return Object.fromEntries(values.map((value) => [value.toUpperCase(), { value }])) as Record<
    Uppercase<Value>,
    { value: Value }
  >;
}
