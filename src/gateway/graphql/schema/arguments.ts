/** Arguments that fields share, read by the rules of the other protocols. */
import { readId } from "../../input";
import { fieldValue } from "../call-context";

export function idOf({ id }: { readonly id: string }): string {
  return fieldValue(readId(id));
}
