// One job around a test: its steps, its post-job step, and the engine as it was.
import assert from "node:assert/strict";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertNoLeak } from "./expect.mjs";
import { customerId, engineState } from "./lab.mjs";

/** Uses a job and its post-job step, after which the engine is as it was. */
export async function inJob(use, options = {}) {
  const job = new Job(options);
  const before = engineState();
  let post;
  try {
    await use(job);
  } finally {
    post = await job.post();
  }
  try {
    assert.equal(post.exitCode, 0);
    assert.deepEqual(post.warnings, [], post.text);
    if (!options.keeps) assert.deepEqual(engineState(), before, "the engine is as it was");
    assert.deepEqual(job.files(), [], "files left");
    assert.deepEqual(job.findings(), [], "credentials where others can find them");
  } finally {
    job.end();
  }
}

/** Runs a step that must fail, with its post-job step, and compares the engine before and after. */
export async function refuse(given, { code, patterns = [], ...options }) {
  const job = new Job(options);
  try {
    const before = engineState();
    const step = await job.run(given);
    const message = assertFailed(step, code);
    for (const pattern of patterns) assert.match(`${message}\n${story(step)}`, pattern);
    assertNoLeak(step, [given.awsSecretAccessKey, customerId]);
    const post = await job.post();
    assert.equal(post.exitCode, 0);
    assert.deepEqual(post.warnings, []);
    assert.deepEqual(engineState(), before, "the engine is as it was");
    assert.deepEqual(job.files(), [], "files left");
    return step;
  } finally {
    job.end();
  }
}
