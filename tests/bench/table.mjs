// The results as two tables, one of goals and one of measurements, aligned for a terminal or as Markdown.
import { line } from "./rows.mjs";

const opponents = {
  pipeline: "the pipeline",
  cli: "the docker CLI",
  "floor of a graft": "the floor of a graft",
};
const starts = {
  "graft again": "engine and registry warm",
  "graft from the cache": "no engine",
  "graft from the cache, signed": "no engine",
  "grafts from the cache in one job": "each of 100, no engine",
  unchanged: "patched before",
  "unchanged, signed": "patched before",
};

export const sizeOf = (megabytes) => (megabytes >= 1000 ? `${megabytes / 1000} GB` : `${megabytes} MB`);

/** Seconds with as many digits as are significant. */
export const inSeconds = (seconds) => `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;

/** A case in words. */
export function describe({ store, network, source, layers, flow, target, mounting, records }) {
  const words = [flow, starts[flow] ?? "cold", store, sizeOf(source)];
  if (layers) words.push(`${layers} layers`);
  words.push(
    target === "other" ? `other repository, mounting ${mounting ? "on" : "off"}` : "same repository",
  );
  if (records) words.push(counted(records));
  if (network === "line") words.push(`${line.megabits} Mbit/s`);
  return words.join(", ");
}

const counted = (records) => (records === 1 ? "1 record" : `${records} records`);

/** Short name of the case that another is compared with. */
function opponent({ flow, source, layers, records }) {
  if (layers) return `${layers} layers`;
  if (records) return counted(records);
  return opponents[flow] ?? `the same at ${sizeOf(source)}`;
}

/** A number with as many digits as are significant. */
const inDigits = (value) => (Number.isInteger(value) ? `${value}` : value.toFixed(value < 0.1 ? 3 : 2));

/** Ratios and limits, with goal and verdict. */
export function goals({ comparisons, limits }) {
  return [
    ["row", "case", "against", "goal", "measured", "verdict"],
    ...comparisons.map(({ id, case: measured, against, goal, ratio, verdict }) => [
      id,
      describe(measured),
      opponent(against),
      goal === undefined ? "" : `≤ ${goal.toFixed(2)}`,
      inDigits(ratio),
      verdict,
    ]),
    ...limits.map(({ id, case: measured, what, goal, value, verdict }) => [
      id,
      describe(measured),
      what,
      `≤ ${inDigits(goal)}`,
      inDigits(value),
      verdict,
    ]),
  ];
}

/** Every case by itself. */
export function figures({ cases }) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 0);
  return [
    ["case", "median", "from – to", "runs", "memory", "requests", "from registry", "to registry"],
    ...cases.map(({ case: measured, seconds, pairs, peakBytes, requests, received, sent }) => [
      describe(measured),
      inSeconds(seconds.median),
      `${inSeconds(seconds.min)} – ${inSeconds(seconds.max)}`,
      String(pairs),
      peakBytes === undefined ? "" : `${megabytes(peakBytes)} MB`,
      String(requests),
      `${megabytes(received)} MB`,
      `${megabytes(sent)} MB`,
    ]),
  ];
}

/** Rows of cells for a terminal. */
export function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  const pad = (cells) => cells.map((cell, column) => cell.padEnd(widths[column])).join("  ");
  return rows.map((cells) => pad(cells).trimEnd()).join("\n");
}

/** Rows of cells for a document. */
export function markdown([header, ...rows]) {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Description of the measured machine, in sentences. */
export function circumstances({ machine, load, date, pairs, seconds, quick, sizes }) {
  const sum = (list) => Math.round(list.reduce((total, bytes) => total + bytes, 0) / 1e6);
  const sources = Object.entries(sizes.sources).map(
    ([name, list]) => `${sizeOf(Number(name))} is ${sum(list)} MB`,
  );
  const memory = Math.round(machine.memoryBytes / 2 ** 30);
  return [
    ...(quick ? ["A quick run: its images are small, and its ratios mean nothing."] : []),
    `Measured on ${date.slice(0, 10)}, within ${Math.round(seconds / 60)} minutes; rounds: ${pairs}.`,
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${memory} GiB, Linux ${majorAndMinor(machine.kernel)}, Docker Engine ${machine.engine}; its load average before each case was ${load.min.toFixed(1)} to ${load.max.toFixed(1)}.`,
    `Compressed, the source of ${sources.join(", that of ")}; the sensor image is ${sum(sizes.sensor)} MB.`,
  ].join("\n");
}

const majorAndMinor = (version) => version.split(".").slice(0, 2).join(".");
