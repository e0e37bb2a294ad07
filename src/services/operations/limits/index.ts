/** The door of the limits service. */
export { parseLimitSubject } from "./model";
export {
  type ClientLimit,
  clientLimitSchema,
  type PlanLimit,
  planLimitSchema,
  type SetLimitInput,
  setLimitSchema,
} from "./schemas";
export { LimitService } from "./service";
