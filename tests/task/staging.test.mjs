// Source and sensor staged in the run's own registry: the image is the same, and no trace is left.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertOrderly, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import {
  config,
  docker,
  engineState,
  inputs,
  lastLayer,
  manifest,
  needsLab,
  registry,
  sensorTag,
} from "./lab.mjs";

const stagingRegistryImage = process.env.LAB_STAGING_IMAGE;
const staged = { stagingRegistry: "local", stagingRegistryImage };
const sensor = (variant) => `${registry}/containersensor:${sensorTag}${variant}`;

/** Everything in the engine that names the local registry, or runs it. */
function traces() {
  const { containers, images, volumes } = engineState();
  return [
    ...containers.filter((line) => line.includes("falcon-patch")),
    ...images.filter((line) => /127\.0\.0\.1|localhost/.test(line)),
    ...docker("images", "--digests", "--format", "{{.Repository}}@{{.Digest}}")
      .split("\n")
      .filter((line) => /127\.0\.0\.1|localhost/.test(line)),
    ...volumes,
  ];
}

test("Staging does not change the patched image", needsLab, async () => {
  await inJob(async (job) => {
    const [plain, local] = [`${registry}/app/target:not-staged`, `${registry}/app/target:staged`];
    assertSucceeded(await job.run(inputs({ targetImage: plain })));
    const step = await job.run(inputs({ ...staged, targetImage: local }));
    assertSucceeded(step);
    assert.match(story(step), /Stage source and sensor in a local registry of/);
    assert.match(story(step), /127\.0\.0\.1:\d+\/app\/web@sha256:[0-9a-f]{64} is staged/);
    assert.deepEqual(traces(), [], "nothing of it outlives the step");

    const [before, after] = [config(plain), config(local)];
    assert.deepEqual(after.config, before.config);
    assert.deepEqual(after.rootfs.diff_ids.slice(0, -1), before.rootfs.diff_ids.slice(0, -1));
    assert.deepEqual(manifest(local).layers.slice(0, -1), manifest(plain).layers.slice(0, -1));
    assert.deepEqual(lastLayer(local), lastLayer(plain));
    assert.equal(step.variables.SOURCE_IMAGE_URI, `${registry}/app/web:1.4.2`, "its own name is reported");
    assert.equal(step.variables.FALCON_ECR_IMAGE, sensor(""));
  });
});

for (const variant of ["-pulls", "-no-platform"]) {
  test(`The sensor ${sensorTag}${variant} finds its images staged`, needsLab, async () => {
    await inJob(async (job) => {
      const targetImage = `${registry}/app/target:staged${variant}`;
      const step = await job.run(inputs({ ...staged, targetImage, sensorImage: sensor(variant) }));
      assertSucceeded(step);
      assert.deepEqual(traces(), []);
    });
  });
}

test("Of an index, only the ARM64 image is staged", needsLab, async () => {
  await inJob(async (job) => {
    const sourceImage = `${registry}/app/web:1.4.2-index`;
    const arm64 = manifest(sourceImage).manifests.find(({ platform }) => platform.architecture === "arm64");
    const targetImage = `${registry}/app/target:staged-index`;
    const step = await job.run(inputs({ ...staged, sourceImage, targetImage }));
    assertSucceeded(step);
    assert.ok(story(step).includes(`/app/web@${arm64.digest} is staged`), story(step));
  });
});

test("An image of the engine is pushed to the local registry", needsLab, async () => {
  const folder = mkdtempSync(join(process.env.LAB_TMP, "build-"));
  const name = "local/staged:dev";
  writeFileSync(join(folder, "Dockerfile"), 'FROM scratch\nCOPY Dockerfile /\nENTRYPOINT ["/serve"]\n');
  docker("buildx", "build", "--load", "--platform", "linux/arm64", "--tag", name, folder);
  try {
    await inJob(async (job) => {
      const target = `${registry}/app/target:staged-from-engine`;
      const given = { sourceLocation: "engine", sourceImage: name, targetImage: target };
      const step = await job.run(inputs({ ...staged, ...given }));
      assertSucceeded(step);
      assert.match(story(step), /127\.0\.0\.1:\d+\/source@sha256:[0-9a-f]{64} is staged/);
      assert.equal(step.outputs.sourceDigest, "", "a digest in a registry that is gone is none");
      assert.equal(config(target).config.Entrypoint[1], "/serve");
      assert.deepEqual(traces(), []);
    });
  } finally {
    docker("image", "rm", name);
    rmSync(folder, { recursive: true });
  }
});

test("A registry on port 5000 is not disturbed", needsLab, async () => {
  const asked = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    response.end();
  });
  await new Promise((resolve) => server.listen(5000, "127.0.0.1", resolve));
  try {
    await inJob(async (job) => {
      const step = await job.run(inputs({ ...staged, targetImage: `${registry}/app/target:port-5000` }));
      assertSucceeded(step);
    });
    assert.deepEqual(asked, []);
    assert.equal((await fetch("http://127.0.0.1:5000/still-there")).status, 200);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("Images that stay have no name in the local registry", needsLab, async () => {
  await inJob(
    async (job) => {
      const target = `${registry}/app/target:staged-kept`;
      const step = await job.run(inputs({ ...staged, targetImage: target, keepLocalImages: true }));
      assertSucceeded(step);
      await job.post();
      assert.ok(engineState().images.some((line) => line.endsWith(target)));
      assert.deepEqual(traces(), []);
      docker("image", "rm", target);
      docker("image", "rm", stagingRegistryImage);
    },
    { keeps: true },
  );
});

/** Starts a run whose falconutil takes its time, and uses it once the registry serves. */
async function whilePatching(use) {
  const job = new Job();
  try {
    const before = engineState();
    const step = job.start(inputs({ ...staged, sensorImage: sensor("-slow") }));
    await step.until(/##\[group\]Patch with/);
    await use(step);
    const post = await job.post();
    assert.deepEqual(post.warnings, [], post.text);
    assert.deepEqual(engineState(), before, "the engine is as it was");
    assert.deepEqual(job.files(), []);
  } finally {
    job.end();
  }
}

test("The local registry serves only this machine and is removed with a stopped run", needsLab, async () => {
  await whilePatching(async (step) => {
    const [name] = docker("ps", "--filter", "name=-registry", "--format", "{{.Names}}").split("\n");
    const [container] = JSON.parse(docker("inspect", name));
    const { Privileged, NetworkMode, PortBindings } = container.HostConfig;
    assert.deepEqual([Privileged, container.Mounts.map(({ Type }) => Type)], [false, ["volume"]]);
    assert.notEqual(NetworkMode, "host");
    assert.deepEqual(Object.keys(PortBindings), ["5000/tcp"]);
    const [{ HostIp }, ...others] = container.NetworkSettings.Ports["5000/tcp"];
    assert.deepEqual([HostIp, others], ["127.0.0.1", []]);
    const ended = await step.cancel();
    assertOrderly(ended);
    assert.ok(ended.secondsToStop < 5.5, `took ${ended.secondsToStop} s`);
    assert.deepEqual(traces(), [], "gone with the step");
  });
});

test("The post-job step removes the staged images of a killed run", needsLab, async () => {
  await whilePatching(async (step) => {
    step.child.kill("SIGKILL");
    await step.done;
    assert.notDeepEqual(traces(), []);
  });
});

test("An image that is not a registry fails before any pull", needsLab, async () => {
  await inJob(async (job) => {
    const image = process.env.LAB_EMULATOR_IMAGE;
    const step = await job.run(inputs({ ...staged, stagingRegistryImage: image }));
    assert.match(assertFailed(step, "ENGINE_STAGING_FAILED"), /lab\/binfmt/);
    assert.doesNotMatch(story(step), /Pull the source image.*: done/);
    assert.deepEqual(traces(), []);
  });
});
