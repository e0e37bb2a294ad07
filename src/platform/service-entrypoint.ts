/** What another Worker calls by service binding, with no HTTP in between. */
export { WorkerEntrypoint as ServiceEntrypoint } from "cloudflare:workers";
