/** The door of the analytics service. */
export { type SignupDay, signupDaySchema, signupsQuery } from "./schemas";
export { AnalyticsService } from "./service";
