// The task beside the hand-written flow that it replaces: the same image, and none of what that flow does to an agent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "../bench/script.mjs";
import { story } from "./agent.mjs";
import { assertFailed, assertSucceeded } from "./expect.mjs";
import { filesystem } from "./images.mjs";
import { inJob } from "./job.mjs";
import { config, docker, front, inputs, needsLab, registry, sensorTag } from "./lab.mjs";

const source = `${registry}/app/web:1.4.2`;
const sensor = `${registry}/containersensor:${sensorTag}`;

/** `registry:2`, as on an agent that has pulled it before. */
function withStagingRegistry(use) {
  const { LAB_STAGING_IMAGE: image } = process.env;
  docker("pull", "--quiet", image);
  docker("tag", image, "registry:2");
  return use().finally(() => {
    // The flow removes nothing but the registry, and that without its volume; its images are no use to other tests.
    docker("volume", "prune", "--all", "--force");
    docker("image", "prune", "--all", "--force");
  });
}

/**
 * A configuration without the parts that differ in each build (dates, the history, the new layer's digest), and without the
 * mark that a builder leaves.
 */
function comparable(reference) {
  const { created, history, rootfs, config: fields, ...rest } = config(reference);
  assert.ok(created, "a date");
  assert.ok(history.length > rootfs.diff_ids.length, "a history");
  const { ArgsEscaped: _, ...kept } = fields;
  return { ...rest, config: kept, layers: rootfs.diff_ids.slice(0, -1) };
}

test("The task creates the same image as the hand-written flow", needsLab, async () => {
  const [byHand, byTask] = ["by-hand", "by-task"].map((tag) => `${registry}/app/target:${tag}`);
  await withStagingRegistry(() =>
    script("pipeline-stage.sh", { place: { source, target: byHand }, sensor: { reference: sensor } }),
  );
  await inJob(async (job) => {
    assertSucceeded(await job.run(inputs({ sourceImage: source, sensorImage: sensor, targetImage: byTask })));
  });
  assert.deepEqual(comparable(byTask), comparable(byHand));
  assert.deepEqual(comparable(byTask).layers, config(source).rootfs.diff_ids, "the source's layers");
  const files = filesystem(byTask);
  assert.deepEqual(files, filesystem(byHand));
  assert.ok("opt/CrowdStrike/rootfs/bin/falcon-entrypoint" in files, Object.keys(files).join("\n"));
});

test("Later steps find the variables of the hand-written flow", needsLab, async () => {
  await inJob(async (job) => {
    const [awsAccount, , , awsRegion] = registry.split(".");
    const images = {
      sourceImage: "app/web:1.4.2",
      targetImage: "app/target:variables",
      sensorImage: `containersensor:${sensorTag}`,
    };
    const step = await job.run(inputs({ action: "plan", awsAccount, awsRegion, ...images }));
    assertSucceeded(step);
    assert.deepEqual(step.variables, {
      SOURCE_IMAGE_URI: `${registry}/${images.sourceImage}`,
      TARGET_IMAGE_URI: `${registry}/${images.targetImage}`,
      FALCON_ECR_IMAGE: `${registry}/${images.sensorImage}`,
    });
  });
});

test("The sensor container has no credentials, privileges, network or host folders", needsLab, async () => {
  await inJob(async (job) => {
    const given = inputs({ sensorImage: `${sensor}-slow`, targetImage: `${registry}/app/target:slow` });
    const step = job.start(given);
    await step.until(/##\[group\]Patch with/);
    const [name] = docker("ps", "--filter", "name=falconutil", "--format", "{{.Names}}").split("\n");
    const [{ HostConfig, Config, Mounts }] = JSON.parse(docker("inspect", name));
    await step.cancel();
    assert.equal(HostConfig.Privileged, false);
    assert.equal(HostConfig.NetworkMode, "none");
    assert.deepEqual(
      Mounts.map(({ Destination }) => Destination),
      ["/var/run/docker.sock"],
    );
    const text = JSON.stringify(Config);
    for (const secret of [given.awsAccessKeyId, given.awsSecretAccessKey])
      assert.ok(!text.includes(secret), "no AWS key");
  });
});

test("A push that ECR refuses fails the step", needsLab, async () => {
  const message = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:PutImage";
  const body = JSON.stringify({ errors: [{ code: "DENIED", message }] });
  await front("POST", "/faults", {
    match: { method: "PUT", pathPattern: "/v2/app/target/manifests/" },
    count: 100,
    answer: { status: 403, headers: { "content-type": "application/json" }, body },
  });
  try {
    await inJob(async (job) => {
      const step = await job.run(inputs({ targetImage: `${registry}/app/target:refused` }));
      assertFailed(step, "REGISTRY_DENIED");
      assert.match(story(step), /Push the image to .*app\/target[\s\S]*ecr:PutImage/);
    });
  } finally {
    await front("DELETE", "/faults");
  }
});

test("Containers, networks, volumes and images of others stay in the engine", needsLab, async () => {
  docker("pull", "--quiet", "--platform", "linux/arm64", source);
  const container = docker("create", "--platform", "linux/arm64", source);
  docker("network", "create", "of-others");
  docker("volume", "create", "of-others");
  docker("tag", source, "of-others:1");
  docker("image", "rm", source);
  try {
    // Whatever is there before the job is there after it: a stopped container, an unused network, volume and name.
    await inJob(async (job) =>
      assertSucceeded(await job.run(inputs({ targetImage: `${registry}/app/target:beside-others` }))),
    );
    assert.equal(docker("inspect", "--format", "{{.State.Status}}", container), "created");
  } finally {
    docker("rm", "--volumes", container);
    docker("network", "rm", "of-others");
    docker("volume", "rm", "of-others");
    docker("image", "rm", "of-others:1");
  }
});
