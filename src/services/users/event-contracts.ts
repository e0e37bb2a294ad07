/** The shape of `data` in each event of the users service, for documents, types and tests. The running Worker never loads it. */
import * as z from "../../kernel/schema";

const account = z.strictObject({ userId: z.uuid(), email: z.string() });
/** `currentEmail` is the address until `email` is proven. Its holder is notified at once. */
const addressChange = z.strictObject({ userId: z.uuid(), email: z.string(), currentEmail: z.string() });

export const userEventContracts = {
  "user.created": { data: account, summary: "A user signed up." },
  "user.updated": { data: account, summary: "A user, its profile, address or role changed." },
  "email.change_requested": {
    data: addressChange,
    summary: "A user asked to change to the address in `email`, which must be proven first.",
  },
  "user.deleted": { data: account, summary: "A user was deleted." },
} as const;
