/** What a scraper reads. */

import { type Answer, call } from "./client";
import { TEST_SECRETS } from "./secrets";

export const METRICS_AUTHORIZATION = `Bearer ${TEST_SECRETS.METRICS_TOKEN}`;

export async function scrape(headers: Record<string, string> = {}): Promise<Answer> {
  return await call("/metrics", { headers: { Authorization: METRICS_AUTHORIZATION, ...headers } });
}

/** The value of a series, written as in the exposition: `name{label="value",...}`. 0 when it is absent. */
export function seriesValue(text: string, series: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}
