/** GraphQL's place in the gateway. The library and the schema are loaded by the first call, so REST never waits for them. */
import type { Protocol } from "../protocol";
import { explorer, wantsExplorer } from "./explorer";
import { renderGraphqlRefusal } from "./refused";

export const graphqlProtocol: Protocol = {
  path: "/graphql",
  isJsonOnly: true,
  renderRefusal: renderGraphqlRefusal,
  answer: async (c) => {
    if (wantsExplorer(c)) return explorer(c);
    const { answerGraphql } = await import("./server");
    return await answerGraphql(c);
  },
};
