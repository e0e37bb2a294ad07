/** The classic peer's door. */
export { startClassic } from "./start.mjs";
