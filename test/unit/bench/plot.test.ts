import { describe, expect, test } from "vitest";
import { barPlot, linePlot } from "../../../bench/plot.mjs";

const spread = (median: number) => ({ median, min: median * 0.9, max: median * 1.1 });

const BARS = barPlot({
  title: "Requests a second <hot & cold>",
  unit: "requests a second",
  groups: [
    {
      label: "hot GET",
      bars: ["meridian", "literal", "classic"].map((series, i) => ({ series, ...spread(9000 / (i + 1)) })),
    },
    {
      label: 'the "mix"',
      bars: [
        { series: "meridian", ...spread(10) },
        { series: "literal", ...spread(0) },
      ],
    },
  ],
});
const LINES = linePlot({
  title: "Time of a call",
  xLabel: "users",
  yLabel: "ms",
  lines: ["list", "get"].map((name, i) => ({
    name,
    points: [1_000, 100_000, 1_000_000].map((x) => ({ x, ...spread(i + 1) })),
  })),
});

describe("plots", () => {
  test("a plot is well-formed XML, whatever stands in its labels", () => {
    expect(unclosed(BARS)).toEqual([]);
    expect(unclosed(LINES)).toEqual([]);
    expect(BARS).toContain("hot &amp; cold&gt;");
  });

  test("every bar of every group is drawn, with its spread, its number and its series in the legend", () => {
    // Three series in the legend, five bars.
    expect(count(BARS, "<rect ")).toBe(3 + 5);
    expect(count(BARS, 'class="whisker"')).toBe(5);
    for (const text of [
      "hot GET",
      "&quot;mix&quot;",
      "classic",
      ">9000<",
      ">4500<",
      ">3000<",
      ">10<",
      ">0<",
    ]) {
      expect(BARS).toContain(text);
    }
  });

  test("the longest bar of each group is the greatest of the group", () => {
    const widths = [...BARS.matchAll(/<rect class="c\d fill" x="190" [^>]*width="([\d.]+)"/g)].map(([, w]) =>
      Number(w),
    );
    const [first, second, third, fourth, last] = widths;
    expect(first).toBe(fourth);
    expect(second).toBeCloseTo(Number(first) / 2, 0);
    expect(third).toBeCloseTo(Number(first) / 3, 0);
    expect(last).toBe(0);
  });

  test("every line is drawn with all of its points, and powers of ten lie evenly", () => {
    const lines = [...LINES.matchAll(/<polyline [^>]*points="([^"]+)"/g)].map(([, points]) =>
      String(points)
        .split(" ")
        .map((point) => point.split(",").map(Number)),
    );
    expect(lines.map((points) => points.length)).toEqual([3, 3]);
    const [a, b, c] = (lines[0] ?? []).map(([x]) => Number(x));
    expect((Number(c) - Number(a)) / (Number(b) - Number(a))).toBeCloseTo(1.5, 1);
    expect(count(LINES, 'class="whisker"')).toBe(6);
    for (const text of [">list<", ">get<", ">users<", ">1000<", ">100k<", ">1M<"])
      expect(LINES).toContain(text);
  });

  test("no number in a plot is missing, even where all values are 0", () => {
    const empty = linePlot({
      title: "t",
      xLabel: "x",
      yLabel: "y",
      lines: [{ name: "n", points: [{ x: 1, ...spread(0) }] }],
    });
    for (const plot of [BARS, LINES, empty]) expect(plot).not.toMatch(/NaN|Infinity|undefined/);
  });
});

/** The tags that were opened and not closed, or closed and not opened. */
function unclosed(xml: string): string[] {
  const open: string[] = [];
  const text = xml.replace(/<[^<>]*>/g, (tag) => {
    const [, isEnd, name, isEmpty] = /^<(\/?)([a-z]+)(?: [a-zA-Z0-9-]+="[^"<&]*")*(\/?)>$/.exec(tag) ?? [];
    if (name === undefined) open.push(tag);
    else if (isEnd === "/" && open.at(-1) === name) open.pop();
    else if (isEnd === "/" || isEmpty === "") open.push(isEnd + name);
    return "";
  });
  return /[<]|&(?!amp;|lt;|gt;|quot;)/.test(text) ? [...open, text] : open;
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
