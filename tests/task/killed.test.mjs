// A step that is killed at any moment: the post-job step removes what it left, and nothing else.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Job } from "./agent.mjs";
import { crane, docker, engineState, inputs, needsLab, registry } from "./lab.mjs";
import { cosignVerifies, kmsKey } from "./records.mjs";

const target = `${registry}/app/target:killed`;

/** The end of a step, which is logged at once even while others run. */
const stepEnd = /: (done in|failed after) \d/;

/** The end of the run, whose steps are all done by then. */
const runEnd = /^##\[section\]/;

/** Gives an image of the user's own the target's name in the engine, and a name of its own. */
function usersImages() {
  const archive = join(process.env.LAB_TMP, "users.tar");
  execFileSync("tar", ["--create", "--file", archive, "--directory", "/etc", "hostname"]);
  const names = [target, "users.example/app:1"];
  docker("import", archive, names[0]);
  docker("tag", names[0], names[1]);
  return () => docker("image", "rm", ...names);
}

/** Kills a run shortly after so many of its steps have ended; returns false if it was over by then. */
async function killAfter(ends, changes) {
  const job = new Job({ timed: true });
  try {
    const before = engineState();
    const step = job.start(inputs({ targetImage: target, ...changes }));
    const seen = (pattern) => step.raw.filter(({ line }) => pattern.test(line)).length;
    while (seen(stepEnd) <= ends && seen(runEnd) === 0 && step.child.exitCode === null) await sleep(20);
    const isOver = seen(runEnd) > 0;
    // The next step is on its way by then.
    await sleep(150);
    step.child.kill("SIGKILL");
    await step.done;
    const post = await job.post();
    const last = step.raw.at(-1)?.line;
    assert.deepEqual(post.warnings, [], post.text);
    assert.deepEqual(engineState(), before, `the engine is as it was, killed after: ${last}`);
    assert.deepEqual(job.files(), [], `files left, killed after: ${last}`);
    return !isOver;
  } finally {
    job.end();
  }
}

for (const strategy of ["full", "graft"])
  test(`A run with strategy: ${strategy} can be killed after each of its steps`, needsLab, async () => {
    const remove = usersImages();
    try {
      let ends = 0;
      while (await killAfter(ends, { strategy })) ends += 1;
      assert.ok(ends >= 6, `only ${ends} steps were seen`);
    } finally {
      remove();
    }
  });

/** The digest that a tag names, if it is there. */
function digestOf(tag) {
  try {
    return crane("digest", tag);
  } catch (error) {
    assert.match(String(error.stderr), /MANIFEST_UNKNOWN/);
    return undefined;
  }
}

test(
  "A run that signs can be killed after each of its steps, and no tag is without its record",
  needsLab,
  async () => {
    const { publicKey } = await kmsKey({ alias: "alias/killed" });
    let ends = 0;
    let isKilled = true;
    while (isKilled) {
      // An image of its own for each run, which no run before has recorded.
      const tag = `${registry}/app/target:killed-signed-${ends}`;
      const changes = { targetImage: tag, containerName: `killed-${ends}`, signingKey: "alias/killed" };
      isKilled = await killAfter(ends, changes);
      const digest = digestOf(tag);
      if (digest) cosignVerifies(`${registry}/app/target@${digest}`, publicKey);
      assert.ok(isKilled || digest, "the run that was not killed has put its tag");
      ends += 1;
    }
    assert.ok(ends >= 6, `only ${ends} steps were seen`);
  },
);
