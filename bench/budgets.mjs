/** What must be reached, and whether it was. A budget that could not be measured here is neither kept nor broken. */
import { START_BYTES_MAX, STARTUP_MS_MAX } from "../scripts/upload.mjs";
import { DELAYS } from "./planet.mjs";

const HASHING_ASIDE_MS = 15;
/** Of what is measured, by its unit. */
const DIGITS = { x: 3, ms: 1, bytes: 0 };

/**
 * @typedef {{name: string, goal: string, measured: string, isKept: boolean | null}} Budget
 * @returns {readonly Budget[]}
 */
export function judge({ throughput, planet, upload }) {
  const ratio = (workload, side) => throughput?.find(({ name }) => name === workload)?.ratios[side]?.median;
  const far = (workload) => planet?.find(({ name }) => name === workload)?.sides;
  const share = (workload, key) => {
    const sides = far(workload);
    return sides?.literal === undefined ? undefined : sides.project[key] / sides.literal[key];
  };
  const mix = far("mix");
  return [
    atLeast("hot authenticated GET, of literal", ratio("hot", "literal"), 2.5),
    atLeast("hot authenticated GET, of classic", ratio("hot", "classic"), 2),
    atLeast("hot authenticated GET, of bare", ratio("hot", "bare"), 0.5),
    atLeast("the mix, of literal", ratio("mix", "literal"), 2.5),
    atMost("planet: hot GET p50, of literal's", share("hot", "p50"), 0.1, "x"),
    atMost("planet: hot GET p99, of literal's", share("hot", "p99"), 0.2, "x"),
    atMost(
      "planet: sign-up p50, hashing aside",
      far("sign-up")?.project.p50,
      DELAYS.d1Primary.p50 + HASHING_ASIDE_MS,
      "ms",
    ),
    atMost(
      "cost of a million of the mix, of literal's",
      mix?.literal === undefined ? undefined : mix.project.cost.total / mix.literal.cost.total,
      1 / 3,
      "x",
    ),
    atMost("start chunk, gzipped", upload?.startBytes, START_BYTES_MAX, "bytes"),
    atMost("start-up", upload?.startupMs, STARTUP_MS_MAX, "ms"),
  ];
}

function atLeast(name, value, least) {
  return {
    name,
    goal: `>= ${least} x`,
    measured: value === undefined ? "not measured" : `${value.toFixed(2)} x`,
    isKept: value === undefined ? null : value >= least,
  };
}

function atMost(name, value, most, unit) {
  return {
    name,
    goal: `<= ${most < 1 ? most.toFixed(2) : most} ${unit}`,
    measured: value === undefined ? "not measured" : `${value.toFixed(DIGITS[unit])} ${unit}`,
    isKept: value === undefined ? null : value <= most,
  };
}
