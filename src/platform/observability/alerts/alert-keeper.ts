/** The one object that keeps what was measured and told. Not in D1, for a D1 that is away is worth an alert. */
import { DurableObject } from "cloudflare:workers";
import { type AlertBook, EMPTY_BOOK } from "./alert-decision";

const BOOK = "book";

export class AlertKeeper extends DurableObject<Env> {
  async read(): Promise<AlertBook> {
    return this.#stored();
  }

  /** @returns false when another has written since `book` was read: then nothing was stored */
  async write(book: AlertBook): Promise<boolean> {
    if (book.revision !== this.#stored().revision + 1) return false;
    this.ctx.storage.kv.put(BOOK, book);
    return true;
  }

  #stored(): AlertBook {
    return this.ctx.storage.kv.get<AlertBook>(BOOK) ?? EMPTY_BOOK;
  }
}
