// Runs of several agents side by side on one engine: none notices another, nor another's post-job step.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertSucceeded } from "./expect.mjs";
import { crane, engineState, inputs, needsLab, registry, sensorTag } from "./lab.mjs";

const patching = /##\[group\]Patch with/;

/** The end of a step, which is logged at once even while others run. */
const stepEnd = /: done in \d/;

/** An agent of its own. */
const identity = (index) => ({ variables: { "Agent.Id": `${index}`, "Agent.Name": `lab-${index}` } });

/** A job of such an agent. */
const neighbour = (index) => new Job(identity(index));

/** Kills a run of another agent while falconutil works. */
async function killed() {
  const job = neighbour(0);
  const sensorImage = `${registry}/containersensor:${sensorTag}-slow`;
  const step = job.start(inputs({ sensorImage, targetImage: `${registry}/app/target:beside-killed` }));
  await step.until(patching);
  step.child.kill("SIGKILL");
  await step.done;
  return job;
}

/** The time from the end of a run's first step to that of its last. */
function span({ began, step }) {
  const ends = step.raw.filter(({ line }) => stepEnd.test(line)).map(({ at }) => began + at * 1000);
  return { first: ends[0], last: ends.at(-1) };
}

async function runBeside(number, target) {
  const before = engineState();
  const other = await killed();
  const jobs = Array.from({ length: number }, (_, index) => neighbour(index + 1));
  try {
    const runs = jobs.map((job, index) => {
      const strategy = index % 2 === 0 ? "full" : "graft";
      return { began: performance.now(), step: job.start(inputs({ strategy, targetImage: target(index) })) };
    });
    await Promise.all(runs.map(({ step }) => step.until(stepEnd)));
    // The neighbour's post-job step removes its own while the others work.
    const underWay = runs.filter(({ step }) => step.child.exitCode === null);
    assert.equal(underWay.length, number, "all are under way as the neighbour's post-job step begins");
    const swept = await other.post();
    assert.match(swept.text, /^Removed /m);
    assert.deepEqual(swept.warnings, []);
    const ended = await Promise.all(runs.map(({ step }) => step.done));
    for (const step of ended) assertSucceeded(step);
    const spans = runs.map(span);
    const overlap = Math.min(...spans.map(({ last }) => last)) - Math.max(...spans.map(({ first }) => first));
    assert.ok(overlap > 0, `all ${number} work at one time, by ${overlap} ms:\n${story(ended[0])}`);
    const digests = new Set(ended.map(({ outputs }) => outputs.imageDigest));
    assert.equal(digests.size, 1, "the same image, whatever ran beside");
    for (const index of jobs.keys()) assert.equal(crane("digest", target(index)), [...digests][0]);
    // The neighbour's next job removes what the others have used meanwhile.
    const next = new Job({ ...identity(0), after: other });
    for (const job of [...jobs, next]) {
      const post = await job.post();
      assert.deepEqual(post.warnings, [], post.text);
      assert.deepEqual(job.files(), []);
    }
    assert.deepEqual(engineState(), before, "the engine is as it was");
  } finally {
    for (const job of [...jobs, other]) job.end();
  }
}

for (const number of [2, 5]) {
  test(`${number} runs at once push to ${number} targets`, needsLab, () =>
    runBeside(number, (index) => `${registry}/app/target:beside-${number}-${index}`),
  );

  test(`${number} runs at once push to one target`, needsLab, () =>
    runBeside(number, () => `${registry}/app/target:beside-${number}`),
  );
}
