// The flows that are measured: scripts of docker commands, and the task as an agent starts it.
import { join } from "node:path";
import { Job } from "../task/agent.mjs";
import { withoutEngine } from "../task/lab.mjs";
import { keyAlias, loadStagingRegistry, loadStub } from "./bed.mjs";
import { recordsBeside } from "./records.mjs";
import { script } from "./script.mjs";
import { task } from "./step.mjs";
import { median } from "./verdicts.mjs";

const graft = { strategy: "graft" };
const keys = { signingKey: keyAlias, trustedKeys: keyAlias };
const unchanged = (given, changes) => task(given, { strategy: "full", ...changes }, { changed: "false" });

/**
 * The flows.
 *
 * - `prepare` is its work before the clock starts, and what it resolves to is `prepared`
 * - `run` gets the place, the sensor, a job and `prepared`; it resolves to `seconds` and, of the task, `peakBytes` and `steps`
 * - `target` names its image, where the leader's name is taken
 * - `nextBuild` patches another build of the source, whose image the registry does not have
 * - `leavesSource` marks one that must not fetch the source's layers, and `pushesNothing` one whose image stays in the engine
 */
export const flows = {
  pipeline: { prepare: loadStagingRegistry, run: (given) => script("pipeline-stage.sh", given) },
  cli: { run: (given) => script("docker-cli.sh", given) },
  full: { run: (given) => task(given, { strategy: "full" }) },
  "full, signed": { run: (given) => task(given, { strategy: "full", ...keys }) },
  unchanged: { run: (given) => unchanged(given), leavesSource: true },
  "unchanged, signed": {
    prepare: ({ place, records }) => recordsBeside(place.target, records),
    run: (given) => unchanged(given, keys),
    leavesSource: true,
  },
  "floor of a graft": {
    prepare: loadStub,
    run: (given) => script("graft-floor.sh", given, { STUB: given.prepared, FALCONUTIL: nativeFalconutil }),
    pushesNothing: true,
  },
  graft: { run: (given) => task(given, graft), leavesSource: true },
  "graft again": {
    target: "again",
    nextBuild: true,
    run: (given) => task(given, { ...graft, graftCache: "none" }),
    leavesSource: true,
  },
  "graft from the cache": {
    target: "cached",
    nextBuild: true,
    run: (given) => cached(given),
    leavesSource: true,
  },
  "graft from the cache, signed": {
    target: "signed",
    nextBuild: true,
    prepare: signEntry,
    run: (given) => cached(given, keys),
    leavesSource: true,
  },
  "grafts from the cache in one job": {
    target: "hundred",
    nextBuild: true,
    prepare: ({ place, quick }) => manyBuilds(place, quick ? 10 : 100),
    run: inOneJob,
    leavesSource: true,
  },
};

const nativeFalconutil = join(process.env.LAB_PARTS ?? "", "falconutil/falconutil-amd64");

/** Runs an action in a job of a fresh agent that has no engine. */
function onFreshAgent(use) {
  const job = new Job({ timed: true });
  return withoutEngine(() => use(job)).finally(() => job.end());
}

/** A graft on a fresh agent that has no engine. */
const cached = (given, changes) => onFreshAgent((job) => task({ ...given, job }, { ...graft, ...changes }));

/**
 * Signs the entry that the leader left: falconutil is asked once more, since an entry without a signature does not count. It gets a
 * build of its own, so that the measured one is new to the registry.
 */
async function signEntry({ place, ...given }) {
  const [source, target] = [await place.nextBuild(place.source), `${place.target}-entry`];
  await task({ ...given, place: { ...place, source, target } }, { ...graft, ...keys });
}

/** So many builds of the source, of which the first is there. */
async function manyBuilds({ source, nextBuild }, count) {
  const builds = [source];
  while (builds.length < count) builds.push(await nextBuild(source));
  return builds;
}

/** One step for each build, in one job on an agent that has no engine. The last one has the case's target. */
function inOneJob({ prepared: builds, place, ...given }) {
  return onFreshAgent(async (job) => {
    const steps = [];
    for (const [index, source] of builds.entries()) {
      const target = index === builds.length - 1 ? place.target : `${place.target}-${index + 1}`;
      steps.push(await task({ ...given, job, place: { ...place, source, target } }, graft));
    }
    const seconds = median(steps.map((step) => step.seconds));
    const peakBytes = Math.max(...steps.map((step) => step.peakBytes));
    return { seconds, peakBytes, each: steps.map(({ steps: _, ...measured }) => measured) };
  });
}
