// A run that the agent stops: it ends in time, leaves the result to the agent, and leaves nothing behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Job } from "./agent.mjs";
import { assertNoLeak, assertOrderly } from "./expect.mjs";
import { customerId, engineState, inputs, needsLab, registry, sensorTag } from "./lab.mjs";

/** Falconutil takes two minutes in this variant. */
const slow = {
  sensorImage: `${registry}/containersensor:${sensorTag}-slow`,
  targetImage: `${registry}/app/target:cancelled`,
};
const patching = /##\[group\]Patch (with|a stub)/;

async function cancelWhilePatching(signal, changes = {}) {
  const job = new Job();
  try {
    const before = engineState();
    const given = inputs({ ...slow, ...changes });
    const step = job.start(given);
    await step.until(patching);
    const ended = await step.cancel(signal);
    assertOrderly(ended);
    assert.deepEqual(ended.completed, [], "the agent sets the result");
    assert.deepEqual(ended.errors, []);
    assert.deepEqual(ended.outputs, {});
    assert.ok(ended.secondsToStop < 5.5, `took ${ended.secondsToStop} s`);
    assert.deepEqual(
      engineState().containers,
      before.containers,
      "no container is left once the step has ended",
    );
    assertNoLeak(ended, [given.awsSecretAccessKey, customerId]);
    const post = await job.post();
    assert.deepEqual(post.warnings, [], post.text);
    assert.deepEqual(engineState(), before, "the engine is as it was");
    assert.deepEqual(job.files(), []);
  } finally {
    job.end();
  }
}

test("SIGINT during the patch ends in a cleanup", needsLab, () => cancelWhilePatching("SIGINT"));

test("SIGTERM during the patch ends in a cleanup", needsLab, () => cancelWhilePatching("SIGTERM"));

test("A cancelled graft leaves no stub", needsLab, () =>
  cancelWhilePatching("SIGINT", { strategy: "graft" }),
);

test("A second signal ends the process at once, and the post-job step cleans up", needsLab, async () => {
  const job = new Job();
  try {
    const before = engineState();
    const step = job.start(inputs(slow));
    await step.until(patching);
    step.child.kill("SIGINT");
    const ended = await step.cancel("SIGTERM");
    assert.equal(ended.exitCode, 0);
    assert.deepEqual(ended.completed, []);
    assert.ok(ended.secondsToStop < 2, `took ${ended.secondsToStop} s`);
    const post = await job.post();
    assert.deepEqual(engineState(), before, `the engine is as it was:\n${ended.text}\n${post.text}`);
  } finally {
    job.end();
  }
});

test("The post-job step cleans up after a killed step", needsLab, async () => {
  const job = new Job();
  try {
    const before = engineState();
    const step = job.start(inputs(slow));
    await step.until(patching);
    step.child.kill("SIGKILL");
    await step.done;
    const post = await job.post();
    assert.equal(post.exitCode, 0);
    assert.match(post.text, /^Removed /m);
    assert.deepEqual(engineState(), before, "the engine is as it was");
    const again = await job.post();
    assert.deepEqual(again.raw, [], "the second time it has nothing to do and logs nothing");
  } finally {
    job.end();
  }
});
