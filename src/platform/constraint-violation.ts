/** A write that the schema refused. It has a file of its own, because who reads it need not know the database. */

/** A constraint of the schema refused a write: `users.email_key` for a unique index, its own name for a check. */
export class ConstraintViolation extends Error {
  override readonly name = "ConstraintViolation";
  readonly constraint: string;

  /** @param cause in development, what SQLite said of which statement */
  constructor(constraint: string, cause?: Error) {
    super(`constraint violated: ${constraint}`, { cause });
    this.constraint = constraint;
  }
}

export function isViolationOf(error: unknown, constraint: string): boolean {
  return error instanceof ConstraintViolation && error.constraint === constraint;
}
