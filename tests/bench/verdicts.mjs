// The arithmetic of the benchmark: from samples to medians, ratios and verdicts.
import { flat, memoryGoal } from "./rows.mjs";
import { idOf, turnsOf } from "./turns.mjs";

/** The middle of some numbers, or half way between the two in the middle. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median and extremes. */
const spread = (numbers) => ({
  median: median(numbers),
  min: Math.min(...numbers),
  max: Math.max(...numbers),
});

/** A value compared with its limit; without a goal it is only shown. */
export function verdict(value, goal) {
  if (goal === undefined) return "no goal";
  if (value <= goal) return "reached";
  // 33 of 30 are a tenth more, and not a trace above it.
  return `missed by ${Math.ceil(((value - goal) * 100) / goal)} %`;
}

/**
 * Evaluation of all labs' samples for some rows: every case with its spread, each comparison and each limit with its verdict. Broken
 * cases are those that failed or have no sample.
 */
export function evaluate({ labs, ...about }, wanted) {
  const samples = labs.flatMap((lab) => lab.samples);
  const asked = turnsOf(wanted).flatMap(({ leader, followers }) => [leader, ...followers]);
  const cases = new Map(asked.map((each) => [idOf(each), summary(each, samples)]));
  const measured = [...cases.values()].filter(({ pairs }) => pairs > 0);
  return {
    ...about,
    machine: labs[0].machine,
    sizes: {
      sensor: labs[0].sizes.sensor,
      sources: Object.assign({}, ...labs.map(({ sizes }) => sizes.sources)),
    },
    load: spread(samples.filter(({ load }) => load !== undefined).map(({ load }) => load)),
    cases: measured,
    comparisons: wanted.flatMap((row) => compare(row, cases)),
    limits: [...wanted.flatMap((row) => limitsOf(row, cases)), ...memory(measured)],
    broken: [
      ...samples.filter(({ error }) => error).map(({ case: name, error }) => `${name}: ${error}`),
      ...[...cases].filter(([, { pairs }]) => pairs === 0).map(([name]) => `${name}: not measured`),
    ],
  };
}

/** All samples of one case as one: their spread, and the most of what else was counted. */
function summary(measured, samples) {
  const good = samples.filter(({ case: name, error }) => name === idOf(measured) && !error);
  if (good.length === 0) return { case: measured, pairs: 0 };
  const each = (key) => good.map((sample) => sample[key]);
  const most = (key) => Math.max(...each(key));
  const peakBytes = good[0].peakBytes === undefined ? undefined : most("peakBytes");
  return {
    case: measured,
    pairs: good.length,
    seconds: spread(each("seconds")),
    peakBytes,
    requests: most("requests"),
    received: median(each("received")),
    sent: median(each("sent")),
    each: good[0].each,
  };
}

/** The case of a row against each of the others. */
function compare({ id, case: measured, against }, cases) {
  const own = cases.get(idOf(measured));
  return against.flatMap(({ case: other, goal }) => {
    const theirs = cases.get(idOf(other));
    if (own.pairs === 0 || theirs.pairs === 0) return [];
    const ratio = own.seconds.median / theirs.seconds.median;
    return [{ id, case: measured, against: other, goal, ratio, verdict: verdict(ratio, goal) }];
  });
}

/** The limits that a row has of its own. */
function limitsOf({ id, case: measured, requests, secondsEach }, cases) {
  const found = cases.get(idOf(measured));
  if (found.pairs === 0) return [];
  const limits = [
    ...(requests === undefined ? [] : [{ what: "HTTP requests", goal: requests, value: found.requests }]),
    ...(secondsEach === undefined ? [] : inOneJob(found.each, secondsEach)),
  ];
  return limits.map((limit) => judged({ id, case: measured, ...limit }));
}

/** Limits of many images in one job: the slowest, and what the last ones take against the first ones. */
function inOneJob(each, secondsEach) {
  const tenth = Math.ceil(each.length / 10);
  const growth = (key) => {
    const of = (some) => median(some.map((image) => image[key]));
    return of(each.slice(-tenth)) / of(each.slice(0, tenth));
  };
  const last = `last ${tenth} of ${each.length} against the first`;
  return [
    {
      what: `seconds, slowest of ${each.length}`,
      goal: secondsEach,
      value: Math.max(...each.map(({ seconds }) => seconds)),
    },
    { what: `seconds, ${last}`, goal: flat, value: growth("seconds") },
    { what: `memory, ${last}`, goal: flat, value: growth("peakBytes") },
  ];
}

/** The limit of memory, for the case in which the task's process took most. */
function memory(measured) {
  const ofTask = measured.filter(({ peakBytes }) => peakBytes !== undefined);
  if (ofTask.length === 0) return [];
  const most = ofTask.reduce((a, b) => (b.peakBytes > a.peakBytes ? b : a));
  const [goal, value] = [memoryGoal, most.peakBytes].map((bytes) => Math.round(bytes / 1e6));
  return [judged({ id: "memory", case: most.case, what: "MB of memory, most of all cases", goal, value })];
}

const judged = (limit) => ({ ...limit, verdict: verdict(limit.value, limit.goal) });
