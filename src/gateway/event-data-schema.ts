/** JSON Schemas of events' data, for `dataschema`. Loaded with `import()` by the route that serves them. */

// `npm run events:doc` writes this file, because the Worker does not carry the code that turns zod into JSON Schema.
import EVENT_SCHEMAS from "../../contract/events/schemas.json";
import { EVENT_CATALOGUE, isEventType } from "../jobs/event-catalogue";

/** Returns the JSON Schema (2020-12) of the `data` of a type in a version; null when the catalogue has no such pair. */
export function dataSchemaOf(type: string, version: number): object | null {
  if (!isEventType(type) || EVENT_CATALOGUE[type].version !== version) return null;
  return EVENT_SCHEMAS[type];
}
