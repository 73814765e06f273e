// The way it is meant to go, seen from the pipeline.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertNoLeak, assertSucceeded } from "./expect.mjs";
import {
  config,
  customerId,
  docker,
  engineState,
  inputs,
  manifest,
  needsLab,
  registry,
  registryPassword,
  sensorTag,
  withoutEmulator,
} from "./lab.mjs";

const falconEntrypoint = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";
const source = `${registry}/app/web:1.4.2`;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Uses a job and its post-job step, after which the engine is as it was. */
async function inJob(use, options = {}) {
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
  } finally {
    job.end();
  }
}

test("an_image_is_patched_proven_and_pushed", needsLab, async () => {
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

/** The log tells the whole story to someone who reads nothing else. */
function assertStory(step, target) {
  const text = story(step);
  const lines = text.split("\n");
  assert.match(
    lines[0],
    new RegExp(`^FalconArm64Patch 1\\.\\d+\\.\\d+: patch ${source} → ${target}, sensor `),
  );
  assert.match(text, /arn:aws:(iam|sts)::123456789012:/, "who is signed in");
  assert.match(text, /##\[section\]Patched and pushed/);
  assert.match(text, /^ {2}Size {4}\d+\.\d MB → \d+\.\d MB \(\+\d+\.\d MB\)$/m);
  const opened = lines.filter((line) => line.startsWith("##[group]")).length;
  const closed = lines.filter((line) => line === "##[endgroup]").length;
  assert.ok(opened > 0);
  assert.equal(opened, closed, "every group is closed");
  assert.deepEqual(
    step.progress,
    [...step.progress].sort((a, b) => a - b),
    "the bar never goes back",
  );
}

test("a_plan_changes_nothing_and_says_what_would_happen", needsLab, async () => {
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

test("two_steps_of_one_job_pull_the_sensor_once", needsLab, async () => {
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

test("an_image_of_the_agent_s_engine_is_patched", needsLab, async () => {
  const local = "lab-local:1";
  docker("pull", "--quiet", `${registry}/app/web:1.4.2`);
  docker("tag", `${registry}/app/web:1.4.2`, local);
  try {
    await inJob(async (job) => {
      const target = `${registry}/app/target:from-engine`;
      const step = await job.run(
        inputs({ sourceLocation: "engine", sourceImage: local, targetImage: target, containerName: "web" }),
      );
      assertSucceeded(step);
      assert.equal(step.outputs.sourceDigest, "");
      assert.equal(step.variables.SOURCE_IMAGE_URI, local);
      assert.equal(config(target).config.Entrypoint[0], falconEntrypoint);
    });
  } finally {
    docker("image", "rm", local, `${registry}/app/web:1.4.2`);
  }
});

test("what_a_program_prints_cannot_command_the_agent", needsLab, async () => {
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

test("an_emulator_is_installed_where_none_is_and_named_as_what_stays", needsLab, async () => {
  await withoutEmulator(() =>
    inJob(async (job) => {
      const step = await job.run(inputs({ targetImage: `${registry}/app/target:installed` }));
      assertSucceeded(step);
      assert.match(story(step), /^Changed:[\s\S]*^ {2}registered the ARM64 emulator of `.*lab\/binfmt/m);
    }),
  );
});

for (const variant of ["no-platform", "arm64-only", "other-texts"]) {
  test(`a_sensor_of_the_variant_${variant}_works_too`, needsLab, async () => {
    await inJob(async (job) => {
      const step = await job.run(
        inputs({
          sensorImage: `${registry}/containersensor:${sensorTag}-${variant}`,
          targetImage: `${registry}/app/target:${variant}`,
        }),
      );
      assertSucceeded(step);
      assert.match(story(step), /the ARM64 falconutil under emulation|the native falconutil/);
    });
  });
}

test("a_patched_image_stays_in_the_engine_when_asked", needsLab, async () => {
  await inJob(
    async (job) => {
      const target = `${registry}/app/target:kept`;
      const step = await job.run(inputs({ targetImage: target, keepLocalImages: true }));
      assertSucceeded(step);
      await job.post();
      assert.ok(
        engineState().images.some((line) => line.endsWith(target)),
        engineState().images.join("\n"),
      );
      docker("image", "rm", target);
    },
    { keeps: true },
  );
});
