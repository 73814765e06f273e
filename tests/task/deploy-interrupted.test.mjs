// Deployments that are cancelled or killed at each request to ECS: they end in time, and report what ECS has done.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startEcs } from "../lab/ecs.mjs";
import { story } from "./agent.mjs";
import {
  changes,
  deployInputs,
  deployJob,
  deploymentOf,
  patchedImage,
  running,
  runningDefinition,
  starting,
} from "./deployments.mjs";
import { effects } from "./effects.mjs";
import { assertOrderly } from "./expect.mjs";
import { inLab, needsLab, registry } from "./lab.mjs";

/** Looks at the service while it is watched; later ones are the same case. */
const looks = 3;

let image;

before(async () => {
  if (inLab && process.env.LAB_STORE !== "containerd")
    image = await patchedImage(`${registry}/app/target:deploy-interrupted`);
});

/** Everything that ECS did is in the log, and everything in the log is what ECS did. */
function assertTrue(step, ecs) {
  const lines = effects(step);
  const claims = (form) => lines.map((line) => form.exec(line)?.[1]).filter((found) => found !== undefined);
  const arns = ecs.definitions.registered.map(({ arn }) => arn);
  for (const arn of claims(/^registered `(.+)`$/)) assert.ok(arns.includes(arn), arn);
  for (const id of claims(/^started the deployment `(.+?)`/)) assert.equal(id, deploymentOf(ecs));
  const owned = {
    RegisterTaskDefinition: /^(may have )?registered /,
    UpdateService: /^(may have )?started /,
  };
  for (const action of changes(ecs))
    assert.ok(
      lines.some((line) => owned[action].test(line)),
      `${action} is not in:\n${story(step)}`,
    );
}

/** Interrupts a deployment while ECS answers so many requests after the first; returns false once it has been watched. */
async function interrupt(mode, requests) {
  const ecs = await startEcs({
    definition: runningDefinition("example/web:before"),
    frames: [starting, running],
    delayMs: 250,
  });
  const job = deployJob(ecs);
  try {
    const step = job.start(deployInputs(image));
    while (ecs.requests.length <= requests && step.child.exitCode === null) await sleep(20);
    assert.equal(step.child.exitCode, null, story(step.log));
    await sleep(100);
    const signal = requests % 2 === 0 ? "SIGINT" : "SIGTERM";
    const ended = await step.cancel(mode === "killed" ? "SIGKILL" : signal);
    if (mode === "cancelled") {
      assertOrderly(ended);
      assert.deepEqual([ended.completed, ended.errors, ended.outputs], [[], [], {}]);
      assert.ok(ended.secondsToStop < 5.5, `took ${ended.secondsToStop} s`);
      assertTrue(ended, ecs);
    }
    const sent = changes(ecs);
    assert.equal(new Set(sent).size, sent.length, "nothing is sent twice");
    const post = await job.post();
    assert.deepEqual([post.warnings, job.files()], [[], []]);
    const watched = ecs.requests.findIndex(({ action }) => action === "UpdateService");
    return watched < 0 || ecs.requests.length - watched <= looks;
  } finally {
    job.end();
    await ecs.close();
  }
}

// A deployment uses no engine, so one store is enough.
for (const mode of process.env.LAB_STORE === "containerd" ? [] : ["cancelled", "killed"])
  test(`A deployment can be ${mode} at each of its requests`, needsLab, async (context) => {
    let requests = 0;
    while (await interrupt(mode, requests)) requests += 1;
    context.diagnostic(`${requests + 1} interruptions`);
    assert.ok(requests >= 4, `only ${requests + 1} interruptions`);
  });
