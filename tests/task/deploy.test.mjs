// From the patched image to the running service.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { completed, draining, event, progress } from "../lab/ecs/frames.mjs";
import { startEcs } from "../lab/ecs.mjs";
import { story } from "./agent.mjs";
import {
  assertDeployedOnce,
  changes,
  deployInputs,
  deployJob,
  deploymentOf,
  deployOnce,
  patchedImage,
  running,
  runningDefinition,
  sideBySide,
  starting,
} from "./deployments.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { inLab, keys, needsLab, registry } from "./lab.mjs";
import { exampleDefinition } from "./task-definition.mjs";

let image;

before(async () => {
  if (inLab) image = await patchedImage(`${registry}/app/target:deployed`);
});

test("A rolling deployment is watched to its end, with a line for each change", needsLab, async () => {
  const frames = [starting, progress({ pending: 2 }), running, draining, completed];
  const { step, ecs, post, left, found } = await deployOnce(image, { frames }, {}, { timed: false });
  assertSucceeded(step);
  assertDeployedOnce(ecs);
  const { outputs } = step;
  const arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web-service:8";
  assert.equal(outputs.imageReference, image);
  assert.equal(outputs.deploymentId, deploymentOf(ecs));
  assert.deepEqual([outputs.changed, outputs.taskDefinitionArn], ["true", arn]);
  const [{ given }] = ecs.definitions.registered;
  const { futureSetting, tags } = runningDefinition(image);
  assert.deepEqual([given.futureSetting, given.tags], [futureSetting, tags], "the service's own definition");
  const images = given.containerDefinitions.map((container) => [container.name, container.image]);
  assert.deepEqual(images, [["web", image]]);
  const text = story(step);
  const count = (part) => text.split(part).length - 1;
  for (const once of [event.started, "0 of 2 tasks run, 2 pending", "1 of 2 tasks run, 1 pending"])
    assert.equal(count(once), 1, `${once}:\n${text}`);
  assert.equal(count(event.steady), 0, "an event of before");
  assert.match(text, /2 running tasks report sha256:[0-9a-f]{64}, as verified/);
  assert.ok(step.summaries[0].text.includes(deploymentOf(ecs)), "the summary names the deployment");
  assertNoLeak(step, [keys("ADMIN").awsSecretAccessKey]);
  assert.deepEqual([post.warnings, left, found], [[], [], []]);
});

test("A file is finished, written and deployed", needsLab, async () => {
  const ecs = await startEcs({ definition: runningDefinition("example/web:before"), frames: [completed] });
  const job = deployJob(ecs);
  const folder = join(job.folders.sources, "deploy");
  mkdirSync(folder);
  writeFileSync(join(folder, "ecs.json"), exampleDefinition());
  try {
    const files = { taskDefinition: "deploy/ecs.json", taskDefinitionOutput: "deploy/out.json" };
    const step = await job.run(deployInputs(image, files));
    assertSucceeded(step);
    assertDeployedOnce(ecs);
    const [{ given }] = ecs.definitions.registered;
    assert.deepEqual(given, JSON.parse(exampleDefinition(image)));
    assert.equal(step.outputs.taskDefinitionPath, join(folder, "out.json"));
    assert.deepEqual(JSON.parse(readFileSync(join(folder, "out.json"), "utf8")), given);
  } finally {
    rmSync(folder, { recursive: true });
    await job.post();
    job.end();
    await ecs.close();
  }
});

test("Where the service runs this image and definition, nothing is deployed", needsLab, async () => {
  const { step, ecs } = await deployOnce(image, { definition: runningDefinition(image) });
  assertSucceeded(step);
  assert.deepEqual(changes(ecs), []);
  assert.match(story(step), /Nothing to deploy/);
  assert.deepEqual([step.outputs.changed, step.outputs.deploymentId], ["false", ""]);
});

test("A plan deploys nothing", needsLab, async () => {
  const { step, ecs } = await deployOnce(image, {}, { action: "plan" });
  assertSucceeded(step);
  assert.deepEqual(changes(ecs), []);
  assert.match(
    story(step),
    /Register a revision of the ECS task definition web-service\n.*Update the ECS service web/,
  );
  assert.deepEqual([step.outputs.changed, step.outputs.deploymentId], ["true", ""]);
});

test("A step that is cancelled leaves the deployment, and names it", needsLab, async () => {
  const ecs = await startEcs({ definition: runningDefinition("example/web:before"), frames: [starting] });
  const job = deployJob(ecs);
  try {
    const step = job.start(deployInputs(image));
    await step.until(/0 of 2 tasks run/);
    const ended = await step.cancel();
    assert.equal(ended.exitCode, 0);
    assert.ok(ended.secondsToStop < 6, `${ended.secondsToStop} s`);
    assert.deepEqual(ended.completed, [], "the agent itself sets the result");
    assert.match(story(ended), new RegExp(deploymentOf(ecs)));
    assert.equal(ecs.service.updates.length, 1, "nothing is rolled back");
    const post = await job.post();
    assert.deepEqual(post.warnings, []);
    assert.deepEqual(job.files(), []);
  } finally {
    job.end();
    await ecs.close();
  }
});

const refusals = [
  ["is deleted", { service: { status: "INACTIVE" } }, [/INACTIVE/]],
  ["is being deleted", { service: { status: "DRAINING" } }, [/DRAINING/]],
  ["is deployed by CodeDeploy", { service: { controller: "CODE_DEPLOY" } }, [/CODE_DEPLOY/]],
  ["is deployed from outside", { service: { controller: "EXTERNAL" } }, [/EXTERNAL/]],
  ["is on EC2", { service: { launchType: "EC2" } }, [/EC2/]],
  [
    "is on capacity providers of its own",
    {
      service: { launchType: undefined, capacityProviderStrategy: [{ capacityProvider: "own", weight: 1 }] },
    },
    [/own/],
  ],
];

test("A service is refused before anything is registered", sideBySide, async (t) => {
  const all = refusals.map(([situation, script, patterns]) =>
    t.test(`that ${situation}`, async () => {
      const { step, ecs } = await deployOnce(image, script);
      const text = `${assertFailed(step, "ECS_SERVICE_UNSUITABLE")}\n${story(step)}`;
      for (const pattern of patterns) assert.match(text, pattern);
      assert.deepEqual(changes(ecs), []);
    }),
  );
  await Promise.all(all);
});

test("An image that fails the gate is not deployed", needsLab, async () => {
  const { step, ecs } = await deployOnce(`${registry}/app/web:1.4.2`);
  assertFailed(step, "FALCON_NOT_PATCHED");
  assert.deepEqual(changes(ecs), []);
  const older = await deployOnce(image, {}, { minimumSensorVersion: "9.0" });
  assertFailed(older.step, "FALCON_SENSOR_TOO_OLD");
  assert.deepEqual(changes(older.ecs), []);
});
