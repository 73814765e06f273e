// measure.mjs PLAN RESULTS: the part of the benchmark that runs inside the lab. Measures the plan's turns, round by round.
// All samples are written after each turn, so that a benchmark that breaks off has a result.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { Job } from "../task/agent.mjs";
import { config, front, manifest } from "../task/lab.mjs";
import { Bed, emptyEngine, nameOf } from "./bed.mjs";
import { flows } from "./flows.mjs";
import { useLine } from "./network.mjs";
import { faultsOf, fetched } from "./proof.mjs";
import { idOf } from "./turns.mjs";

const [planFile, resultsFile] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planFile, "utf8"));
const samples = [];

/** One cold engine and one new repository, and every flow that continues there; after a broken flow no other can. */
async function takeTurn(bed, { leader, followers }, round) {
  const job = new Job({ timed: true });
  let current = leader;
  try {
    emptyEngine();
    const place = await bed.place(leader);
    for (current of [leader, ...followers.filter(isDue(round))])
      record(current, round, await measure(current, { place, sensor: bed.sensor, job }));
  } catch (error) {
    record(current, round, { error: error.message });
  } finally {
    job.end();
  }
}

async function measure(current, { place: first, ...more }) {
  const {
    prepare,
    run,
    target,
    nextBuild,
    leavesSource = false,
    pushesNothing = false,
  } = flows[current.flow];
  const place = { ...first, ...(await bed.bring(current, first.repository)) };
  if (target) place.target += `-${target}-${nameOf(current)}`;
  if (nextBuild) place.source = await first.nextBuild(place.source);
  const given = { ...more, place, quick: plan.quick, records: current.records };
  const prepared = await prepare?.(given);
  execFileSync("sync");
  const [load] = loadavg();
  await front("DELETE", "/requests");
  const measured = await run({ ...given, prepared });
  const requests = await front("GET", "/requests");
  if (!pushesNothing) prove(place, requests, leavesSource);
  // Many images in one job count as one on average.
  const images = measured.each?.length ?? 1;
  const sum = (key) => requests.reduce((total, entry) => total + entry[key], 0) / images;
  const count = Math.ceil(requests.length / images);
  return { ...measured, load, requests: count, sent: sum("bytesIn"), received: sum("bytesOut") };
}

/** Fails unless the registry has the right image, and the layers of the source stayed where they were if the flow leaves them there. */
function prove({ source, target, sourceLayers }, requests, leavesSource) {
  const faults = faultsOf({ config: config(target), layers: manifest(target).layers }, config(source));
  const isSameRepository = source.split(":")[0] === target.split(":")[0];
  if (leavesSource && isSameRepository && fetched(sourceLayers, requests).length > 0)
    faults.push("fetched layers of the source");
  if (faults.length > 0) throw new Error(`${target} has ${faults.join(", ")}`);
}

function record(measured, round, result) {
  const name = idOf(measured);
  samples.push({ case: name, round, ...result });
  const { seconds, peakBytes, requests, error } = result;
  const memory = peakBytes ? `, ${(peakBytes / 1e6).toFixed(0)} MB` : "";
  const text = error ? `broken: ${error}` : `${seconds.toFixed(2)} s${memory}, ${requests} requests`;
  console.log(`${elapsed()}: round ${round}: ${name}: ${text}`);
  writeFileSync(resultsFile, JSON.stringify({ machine, sizes, samples }, null, 2));
}

/** Checks that a case has this round. */
function isDue(round) {
  return ({ rounds }) => round <= (rounds ?? plan.pairs);
}

/** Since the start of this lab, as minutes and seconds. */
function elapsed() {
  const seconds = Math.round(performance.now() / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const machine = {
  cpu: cpus()[0].model.trim(),
  cores: cpus().length,
  memoryBytes: totalmem(),
  kernel: release(),
  engine: process.env.LAB_ENGINE_VERSION,
};
console.log(`Pushing the images of the benchmark, ${machine.engine} with ${process.env.LAB_STORE}`);
const all = plan.turns.flatMap(({ leader, followers }) => [leader, ...followers]);
const sources = new Map(all.map((each) => [nameOf(each), each]));
const bed = await Bed.make([...sources.values()], plan);
const { sizes } = bed;

for (const network of ["loopback", "line"]) {
  const turns = plan.turns.filter(({ leader }) => leader.network === network);
  if (turns.length === 0) continue;
  if (network === "line") await useLine();
  for (let round = 1; round <= plan.pairs; round += 1) {
    const due = turns.filter(({ leader }) => isDue(round)(leader));
    // What drifts, a disk that fills or a processor that warms up, shall not favour one of them.
    for (const turn of round % 2 === 1 ? due : due.reverse()) await takeTurn(bed, turn, round);
  }
}
