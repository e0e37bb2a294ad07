/** Orders of a deleted user stay in the books without the person. */
import { AppError } from "../../kernel/errors";
import type { TransactionalConsumer } from "../../platform/outbox";
import type { OrderService } from "../../services/orders";

export function ordersForgetUser(orders: Pick<OrderService, "forgetUser">): TransactionalConsumer {
  return {
    kind: "transactional",
    prepare(event) {
      if (event.subject === "") throw new AppError("internal", "user.deleted names no user");
      return orders.forgetUser(event.subject);
    },
  };
}
