/** What must be reached, and whether it was. A budget that could not be measured here is neither kept nor broken. */
import { DELAYS } from "./planet.mjs";

const HASHING_ASIDE_MS = 15;

/**
 * @typedef {{name: string, goal: string, measured: string, isKept: boolean | null}} Budget
 * @returns {readonly Budget[]}
 */
export function judge({ throughput, planet }) {
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
    measured: value === undefined ? "not measured" : `${value.toFixed(unit === "ms" ? 1 : 3)} ${unit}`,
    isKept: value === undefined ? null : value <= most,
  };
}
