/**
 * Plots as SVG, by hand: bars side by side with their spread, and lines over a logarithmic axis. One file is read on
 * light and on dark paper: it brings both sets of colours and no background.
 */

const WIDTH = 860;
const FONT = 13;
/** Told apart by lightness too, for who sees no hue: Okabe and Ito's, and lighter ones for the dark. */
const COLOURS = [
  { light: "#0072b2", dark: "#56b4e9" },
  { light: "#d55e00", dark: "#ff9e4a" },
  { light: "#007a5a", dark: "#3fd0a4" },
  { light: "#9a4d7e", dark: "#e39bc6" },
  { light: "#6b6b00", dark: "#f0e442" },
  { light: "#595959", dark: "#b5b5b5" },
];

/**
 * @typedef {{median: number, min: number, max: number}} Spread
 * @typedef {{label: string, bars: readonly ({series: string} & Spread)[]}} Group
 * @typedef {{name: string, points: readonly ({x: number} & Spread)[]}} Line
 */

/**
 * Horizontal bars in groups; a whisker shows the least and the greatest of the repetitions. Each group has a scale of its own, up
 * to its greatest value, for a login and a cached read have nothing in common; so each bar carries its number.
 *
 * @param {{title: string, unit: string, groups: readonly Group[]}} plot
 * @returns {string} an SVG document
 */
export function barPlot({ title, unit, groups }) {
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(({ series }) => series)))];
  const [left, right, bar, gap] = [190, 110, 16, 14];
  let y = 78;
  const parts = groups.flatMap(({ label, bars }) => {
    const top = Math.max(...bars.map(({ max }) => max), Number.MIN_VALUE);
    const xOf = (value) => left + (Math.max(0, value) / top) * (WIDTH - left - right);
    const middle = y + (bars.length * bar) / 2;
    const drawn = bars.map((each, index) =>
      drawBar(each, { y: y + index * bar, bar, xOf, index: names.indexOf(each.series) }),
    );
    y += bars.length * bar + gap;
    return [textAt(label, left - 10, middle, "end"), ...drawn];
  });
  parts.push(`<line class="axis" x1="${left}" x2="${left}" y1="70" y2="${y - gap + 8}"/>`);
  return document({ title, subtitle: `${unit}; each group to its own scale`, names, height: y + 4, parts });
}

function drawBar({ median, min, max }, { y, bar, xOf, index }) {
  const [x0, x1, centre] = [xOf(0), xOf(median), y + bar / 2 - 1];
  return [
    `<rect class="c${index} fill" x="${round(x0)}" y="${round(y)}" width="${round(x1 - x0)}" height="${bar - 3}"/>`,
    whisker({ x1: xOf(min), x2: xOf(max), y1: centre, y2: centre }),
    textAt(compact(median), xOf(Math.max(median, max)) + 7, centre, "start"),
  ].join("");
}

/**
 * Lines over a logarithmic x axis, from 0 on the y axis, a whisker at each point.
 *
 * @param {{title: string, xLabel: string, yLabel: string, lines: readonly Line[]}} plot every `x` above 0
 * @returns {string} an SVG document
 */
export function linePlot({ title, xLabel, yLabel, lines }) {
  const box = { left: 70, right: WIDTH - 30, top: 84, bottom: 360 };
  const points = lines.flatMap((line) => line.points);
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const [first, last] = [Math.log10(xs[0] ?? 1), Math.log10(xs.at(-1) ?? 10)];
  const xOf = (x) =>
    box.left + 30 + ((Math.log10(x) - first) / (last - first || 1)) * (box.right - box.left - 60);
  const ticks = ticksUpTo(Math.max(...points.map(({ max }) => max), 0));
  const top = ticks.at(-1) ?? 1;
  const yOf = (value) => box.bottom - (value / top) * (box.bottom - box.top);
  const parts = [
    ...ticks.map((value) => gridLine(value, yOf(value), box)),
    ...xs.map((x) => textAt(compact(x), xOf(x), box.bottom + 16, "middle")),
    `<line class="axis" x1="${box.left}" x2="${box.right}" y1="${box.bottom}" y2="${box.bottom}"/>`,
    textAt(xLabel, (box.left + box.right) / 2, box.bottom + 38, "middle"),
    ...lines.map((line, index) => drawLine(line, index, xOf, yOf)),
  ];
  return document({
    title,
    subtitle: yLabel,
    names: lines.map(({ name }) => name),
    height: box.bottom + 56,
    parts,
  });
}

function drawLine({ points }, index, xOf, yOf) {
  // A few pixels aside, so that whiskers at the same x do not hide one another.
  const aside = (x) => xOf(x) + (index - 1) * 4;
  const path = points.map(({ x, median }) => `${round(aside(x))},${round(yOf(median))}`).join(" ");
  return [
    `<polyline class="c${index} stroke" points="${path}"/>`,
    ...points.map(({ x, min, max }) => whisker({ x1: aside(x), x2: aside(x), y1: yOf(min), y2: yOf(max) })),
    ...points.map(
      ({ x, median }) =>
        `<circle class="c${index} fill" cx="${round(aside(x))}" cy="${round(yOf(median))}" r="4"/>`,
    ),
  ].join("");
}

function gridLine(value, y, { left, right }) {
  return `<line class="grid" x1="${left}" x2="${right}" y1="${round(y)}" y2="${round(y)}"/>${textAt(compact(value), left - 8, y, "end")}`;
}

function whisker({ x1, x2, y1, y2 }) {
  const [isFlat, end] = [y1 === y2, 3];
  const caps = isFlat
    ? [x1, x2].map((x) => `M${round(x)} ${round(y1 - end)}V${round(y1 + end)}`)
    : [y1, y2].map((y) => `M${round(x1 - end)} ${round(y)}H${round(x1 + end)}`);
  return `<path class="whisker" d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}${caps.join("")}"/>`;
}

function document({ title, subtitle, names, height, parts }) {
  const width = (name) => 30 + name.length * FONT * 0.58;
  let x = 24;
  const legend = names.map((name, index) => {
    const at = x;
    x += width(name);
    return `<rect class="c${index} fill" x="${round(at)}" y="53" width="12" height="12"/>${textAt(name, at + 18, 59.5, "start")}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${round(height)}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    `<style>${style(names.length)}</style>`,
    `<text class="title" x="24" y="22">${escaped(title)}</text>`,
    `<text class="faint" x="24" y="40">${escaped(subtitle)}</text>`,
    ...legend,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function style(series) {
  const colours = (scheme) =>
    Array.from({ length: series }, (_, index) => {
      const colour = COLOURS[index % COLOURS.length][scheme];
      return `.c${index}.fill{fill:${colour}}.c${index}.stroke{stroke:${colour}}`;
    }).join("");
  const light = "text{fill:#24292f}.faint{fill:#57606a}.axis,.whisker{stroke:#24292f}.grid{stroke:#d0d7de}";
  const dark = "text{fill:#e6edf3}.faint{fill:#9198a1}.axis,.whisker{stroke:#e6edf3}.grid{stroke:#3d444d}";
  return [
    `text{font:${FONT}px system-ui,sans-serif;dominant-baseline:middle}.title{font-size:16px;font-weight:600}`,
    ".stroke{fill:none;stroke-width:2}.whisker{fill:none;stroke-width:1.2}.axis,.grid{stroke-width:1}",
    light + colours("light"),
    `@media (prefers-color-scheme:dark){${dark}${colours("dark")}}`,
  ].join("");
}

function textAt(text, x, y, anchor) {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

/** 0 and three to six round steps, the last at or above the value. */
function ticksUpTo(value) {
  if (!(value > 0)) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [0.2, 0.5, 1, 2].map((factor) => factor * power).find((each) => value / each <= 6) ?? power;
  return Array.from({ length: Math.ceil(value / step) + 1 }, (_, index) => index * step);
}

/** Three digits at most, with k and M: `12.3k`. */
function compact(value) {
  const [divisor, suffix] = value >= 1e6 ? [1e6, "M"] : value >= 1e4 ? [1e3, "k"] : [1, ""];
  const scaled = value / divisor;
  const digits = scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${Number(scaled.toFixed(digits))}${suffix}`;
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escaped(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
