/**
 * The rate limiting binding, as a module of the runtime: a counter in memory, as on the platform, where it lies on the
 * machine that serves the request. Source: developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit
 */
export default ({ limit, period }) => {
  let counters = new Map();
  let endsAt = 0;
  return {
    async limit({ key }) {
      const now = Date.now();
      if (now >= endsAt) {
        counters = new Map();
        endsAt = now + period * 1_000;
      }
      const count = (counters.get(key) ?? 0) + 1;
      counters.set(key, count);
      return { success: count <= limit };
    },
  };
};
