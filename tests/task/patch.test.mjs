// Successful runs, as the pipeline sees them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { story } from "./agent.mjs";
import { assertNoLeak, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import {
  config,
  customerId,
  docker,
  inputs,
  manifest,
  needsLab,
  registry,
  registryPassword,
  sensorTag,
} from "./lab.mjs";

const falconEntrypoint = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";
const source = `${registry}/app/web:1.4.2`;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

test("An image is patched, proven and pushed", needsLab, async () => {
  await inJob(async (job) => {
    const target = `${registry}/app/target:happy`;
    const falconctlOptions = "--tags=team-a,prod --provisioning-token=A1B2C3D4";
    const given = inputs({
      targetImage: target,
      additionalTags: "happy-1\nhappy-2",
      containerName: "web",
      falconctlOptions,
    });
    const step = await job.run(given);
    assertSucceeded(step);
    assertOutputs(step, target);
    assertPatched(target);
    for (const tag of ["happy-1", "happy-2"]) {
      assert.deepEqual(manifest(`${registry}/app/target:${tag}`), manifest(target), tag);
    }
    assertNoLeak(step, [
      given.awsSecretAccessKey,
      customerId,
      falconctlOptions,
      "A1B2C3D4",
      registryPassword,
    ]);
    assertStory(step, target);
  });
});

function assertOutputs({ outputs, variables }, target) {
  assert.equal(outputs.imageTag, target);
  assert.match(outputs.imageDigest, digestPattern);
  assert.equal(outputs.imageReference, `${registry}/app/target@${outputs.imageDigest}`);
  assert.match(outputs.sourceDigest, digestPattern);
  assert.match(outputs.sensorDigest, digestPattern);
  assert.equal(outputs.sensorVersion, sensorTag);
  assert.equal(outputs.changed, "true");
  assert.equal(outputs.taskDefinitionPath, "");
  assert.equal(outputs.taskDefinitionArn, "");
  assert.deepEqual(variables, {
    SOURCE_IMAGE_URI: source,
    TARGET_IMAGE_URI: target,
    FALCON_ECR_IMAGE: `${registry}/containersensor:${sensorTag}`,
  });
  assert.deepEqual(manifest(outputs.imageReference), manifest(target));
}

function assertPatched(target) {
  const [before, after] = [config(source), config(target)];
  assert.equal(after.architecture, "arm64");
  assert.deepEqual(after.rootfs.diff_ids.slice(0, -1), before.rootfs.diff_ids);
  assert.deepEqual(after.config.Entrypoint, [falconEntrypoint, ...before.config.Entrypoint]);
  assert.deepEqual(after.config.Cmd, before.config.Cmd);
  assert.ok(after.config.Env.includes("CS_CONTAINER=web"));
  assert.ok(
    after.config.Env.some((line) => line.startsWith(`FALCONCTL_OPTS=--cid=${customerId} --tags=team-a,prod`)),
  );
}

/** The log is complete without any other source. */
function assertStory(step, target) {
  const text = story(step);
  const lines = text.split("\n");
  assert.match(
    lines[0],
    new RegExp(`^FalconArm64Patch 1\\.\\d+\\.\\d+: patch ${source} → ${target}, sensor `),
  );
  assert.match(text, /arn:aws:(iam|sts)::123456789012:/, "who is signed in");
  assert.match(text, /##\[section\]Patched and pushed/);
  assert.match(text, /^ {2}Size +\d+\.\d MB → \d+\.\d MB \(\+\d+\.\d MB\)$/m);
  const opened = lines.filter((line) => line.startsWith("##[group]")).length;
  const closed = lines.filter((line) => line === "##[endgroup]").length;
  assert.ok(opened > 0);
  assert.equal(opened, closed, "every group is closed");
  assert.deepEqual(
    step.progress,
    [...step.progress].sort((a, b) => a - b),
    "the bar never moves back",
  );
}

test("A plan changes nothing and lists the steps", needsLab, async () => {
  await inJob(async (job) => {
    const step = await job.run(
      inputs({ action: "plan", targetImage: `${registry}/app/target:never-pushed` }),
    );
    assertSucceeded(step);
    assert.equal(step.outputs.changed, "true");
    assert.equal(step.outputs.imageReference, "");
    assert.equal(step.outputs.imageDigest, "");
    assert.match(step.outputs.sourceDigest, digestPattern);
    const text = story(step);
    assert.match(text, /##\[section\]Plan: this is what patching would do/);
    assert.match(text, /^ {2}If the native falconutil knows `--platform`:$/m);
    assert.match(text, /Nothing was changed/);
    assert.throws(() => manifest(`${registry}/app/target:never-pushed`));
  });
});

test("Two steps of one job pull the sensor once", needsLab, async () => {
  await inJob(async (job) => {
    const [first, second] = [
      await job.run(inputs({ targetImage: "app/target:one", awsRegion: "eu-west-1" })),
      await job.run(inputs()),
    ];
    for (const step of [first, second]) assertSucceeded(step);
    assert.match(first.text, /Pull the sensor image/);
    assert.doesNotMatch(second.text, /Pull the sensor image/);
    assert.equal(first.outputs.imageTag, `${registry}/app/target:one`, "the short form is completed");
  });
});

test("Output of a program cannot command the agent", needsLab, async () => {
  await inJob(async (job) => {
    const step = await job.run(
      inputs({
        sensorImage: `${registry}/containersensor:${sensorTag}-hostile`,
        targetImage: `${registry}/app/target:hostile`,
      }),
    );
    assertSucceeded(step);
    assert.match(step.text, /\*\*vso\[task\.setvariable variable=LAB_HOSTILE\]yes/);
    assert.equal(step.variables.LAB_HOSTILE, undefined);
    assert.equal(step.completed.length, 1);
  });
});

test("A patched image stays in the engine if keepLocalImages is set", needsLab, async () => {
  await inJob(
    async (job) => {
      const target = `${registry}/app/target:kept`;
      const step = await job.run(inputs({ targetImage: target, keepLocalImages: true }));
      assertSucceeded(step);
      await job.post();
      const [kept] = JSON.parse(docker("image", "inspect", target));
      assert.ok(kept.RepoDigests.includes(step.outputs.imageReference), "it is what was pushed");
      docker("image", "rm", "--force", kept.Id);
    },
    { keeps: true },
  );
});
