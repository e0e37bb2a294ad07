/** The door of the analytics service. */
export { type SignupDay, type SignupsQuery, signupDaySchema, signupsQuery } from "./schemas";
export { AnalyticsService } from "./service";
