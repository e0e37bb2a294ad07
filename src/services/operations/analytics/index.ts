/** The door of the analytics service. */
export type { SignupDay } from "./model";
export { type SignupsQuery, signupsQuery } from "./schemas";
export { AnalyticsService } from "./service";
