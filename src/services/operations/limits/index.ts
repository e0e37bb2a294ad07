/** The door of the limits service. */
export { type ClientLimit, type LimitSubject, type PlanLimit, parseLimitSubject } from "./model";
export { type SetLimitInput, setLimitSchema } from "./schemas";
export { LimitService } from "./service";
