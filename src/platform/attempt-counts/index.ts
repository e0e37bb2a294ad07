/** The door of budgets that are counted in D1, in the batch of what they bound. */
export { type CountedAttempt, CountedBudget } from "./counted-budget";
