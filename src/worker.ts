/** Contents page of the Worker. */
export default {
  fetch: (): Response => new Response("Meridian"),
} satisfies ExportedHandler<Env>;
export { ClientLimiter } from "./platform/limiter/client-limiter";
