/** The benchmark's door to the stand-ins, on a socket of its own. */
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/counts":
        return Response.json(sumOf(await Promise.all(Object.values(env).map((one) => one.counts()))));
      case "/clear-kv":
        await Promise.all(of(env, "KV").map((one) => one.clear()));
        return new Response();
      case "/backlog": {
        const backlogs = await Promise.all(of(env, "QUEUE").map((one) => one.backlog()));
        return Response.json(backlogs.reduce((sum, each) => sum + each, 0));
      }
      case "/sql": {
        const { sql, params } = await request.json();
        const [database] = of(env, "D1");
        return Response.json(await database.run(sql, params));
      }
      default:
        return new Response(null, { status: 404 });
    }
  },
};

function of(env, kind) {
  return Object.keys(env)
    .filter((name) => name.startsWith(`${kind}_`))
    .map((name) => env[name]);
}

/** By name: a Worker has more than one queue. */
function sumOf(counts) {
  const sums = {};
  for (const [name, count] of counts.flatMap(Object.entries)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
