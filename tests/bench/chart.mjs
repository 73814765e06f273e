// The chart: bars of medians, one group for each store and one for the line. One file for readers in light and in dark.
import { line } from "./rows.mjs";
import { inSeconds, sizeOf } from "./table.mjs";

const bars = {
  pipeline: "hand-written pipeline",
  cli: "docker CLI, by digest",
  full: "strategy: full",
  graft: "strategy: graft",
  "graft from the cache, signed": "graft from the signed cache",
  unchanged: "unchanged, skipped",
};
const ours = new Set(Object.keys(bars).filter((flow) => flow !== "pipeline" && flow !== "cli"));

const width = 760;
const left = 208;
const right = 84;
const pitch = 22;
const thickness = 14;
const groupGap = 40;

/** Groups of the chart: each a title and its bars, with label, seconds, and a mark for those of the task. */
export function groupsOf({ cases }) {
  const wanted = [
    ...["overlay2", "containerd"].map((store) => ({ store, network: "loopback", source: 800 })),
    { store: "overlay2", network: "line", source: 400 },
  ];
  return wanted
    .map((given) => ({ title: titleOf(given), bars: barsOf(cases, given) }))
    .filter((group) => group.bars.length > 0);
}

function titleOf({ store, network, source }) {
  const where = network === "line" ? `, registry at ${line.megabits} Mbit/s and ${line.delayMs} ms` : "";
  return `${sizeOf(source)} source, ${store} image store${where}`;
}

function barsOf(cases, given) {
  const shown = cases.filter(
    ({ case: each }) =>
      each.target === "same" &&
      !each.layers &&
      Object.entries(given).every(([key, value]) => each[key] === value),
  );
  return Object.entries(bars).flatMap(([flow, label]) => {
    const found = shown.find(({ case: each }) => each.flow === flow);
    return found ? [{ label, seconds: found.seconds.median, own: ours.has(flow) }] : [];
  });
}

/** The chart in words, for people who cannot see it. */
export function inWords(groups) {
  const sentences = groups.map(({ title, bars: all }) => {
    const each = all.map(({ label, seconds }) => `${label} ${inSeconds(seconds)}`);
    return `${title}: ${each.join(", ")}`;
  });
  return `Seconds to patch an image. ${sentences.join(". ")}.`;
}

/** The chart as an SVG document. */
export function chart(groups) {
  const longest = Math.max(...groups.flatMap((group) => group.bars.map(({ seconds }) => seconds)));
  const scale = (width - left - right) / longest;
  let top = 64;
  const drawn = groups.map((group) => {
    const text = drawGroup(group, top, scale);
    top += groupGap + group.bars.length * pitch;
    return text;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" role="img" aria-labelledby="title words">
<title id="title">Seconds to patch an image</title>
<desc id="words">${escaped(inWords(groups))}</desc>
<style>
  .page { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #1f2328 } .head { font-weight: 600 }
  .other { fill: #8c959f } .own { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .other { fill: #6e7681 } .own { fill: #4493f8 }
  }
</style>
<rect class="page" width="${width}" height="${top}" rx="6"/>
<text class="head" x="20" y="30">Seconds to patch an image, from an empty engine; less is better</text>
${drawn.join("\n")}
</svg>
`;
}

function drawGroup({ title, bars: all }, top, scale) {
  const rows = all.map(({ label, seconds, own }, index) => {
    const y = top + 14 + index * pitch;
    const middle = y + thickness - 3;
    const length = Math.max(1, seconds * scale).toFixed(1);
    return [
      `<text x="${left - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${own ? "own" : "other"}" x="${left}" y="${y}" width="${length}" height="${thickness}" rx="2"/>`,
      `<text x="${(left + Number(length) + 8).toFixed(1)}" y="${middle}">${inSeconds(seconds)}</text>`,
    ].join("");
  });
  return [`<text class="head" x="20" y="${top}">${escaped(title)}</text>`, ...rows].join("\n");
}

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replaceAll(/[&<>"]/g, (character) => entities[character]);
