// What is pushed is what was proven: the same image however it is made, whatever falconutil adds, and under whatever name.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertOrderly, assertSucceeded } from "./expect.mjs";
import { derive } from "./images.mjs";
import { inJob } from "./job.mjs";
import {
  config,
  docker,
  engineState,
  front,
  inputs,
  lab,
  lastLayer,
  manifest,
  needsLab,
  registry,
  sensorTag,
} from "./lab.mjs";

const source = `${registry}/app/web:1.4.2`;
const strategies = ["full", "graft"];

/** Patches the lab's image, and returns the digest of the result. */
async function digestOf(job, changes) {
  const step = await job.run(inputs(changes));
  assertSucceeded(step);
  return step.outputs.imageDigest;
}

test("The same patch results in the same image by either strategy on either store", needsLab, async () => {
  const digests = {};
  const patchAll = async (store) => {
    for (const strategy of strategies) {
      const targetImage = `${registry}/app/other:same-${store}-${strategy}`;
      const job = new Job();
      digests[`${store} ${strategy}`] = await digestOf(job, { targetImage, strategy });
      await job.post();
      job.end();
    }
  };
  const here = process.env.LAB_STORE;
  await patchAll(here);
  const other = here === "containerd" ? "overlay2" : "containerd";
  lab("engine", "empty", other);
  try {
    await patchAll(other);
  } finally {
    lab("engine", "empty");
  }
  assert.equal(Object.keys(digests).length, 4);
  assert.equal(new Set(Object.values(digests)).size, 1, JSON.stringify(digests));
});

test("A step that runs again on an immutable tag finds its own image", needsLab, async () => {
  await front("PUT", "/repositories/app/immutable-again", { immutable: true });
  await inJob(async (job) => {
    const given = { targetImage: `${registry}/app/immutable-again:1`, additionalTags: "one" };
    const first = await digestOf(job, given);
    // Another agent, which knows nothing of the first run, puts only the tag that is missing.
    const again = { ...given, additionalTags: "one\ntwo", skipUnchanged: "true" };
    const step = await job.run(inputs(again));
    assertSucceeded(step);
    assert.deepEqual([step.outputs.imageDigest, step.outputs.changed], [first, "false"]);
    assert.deepEqual(manifest(`${registry}/app/immutable-again:two`), manifest(given.targetImage));
  });
});

const bad = [
  ["empty-layer", "FALCONUTIL_RESULT_UNEXPECTED", /`\/opt\/CrowdStrike` is not there/],
  ["foreign-paths", "FALCONUTIL_FOREIGN_FILES", /`usr\/local\/bin\/app`/],
  ["two-layers", "FALCONUTIL_FOREIGN_FILES", /`docker-entrypoint\.sh`/],
  ["copy-elsewhere", "FALCONUTIL_FOREIGN_FILES", /`opt\/Elsewhere\/?`/],
];
for (const strategy of strategies) {
  for (const [variant, code, reason] of bad) {
    test(`The result of ${variant} is not pushed with strategy ${strategy}`, needsLab, async () => {
      await inJob(async (job) => {
        const targetImage = `${registry}/app/target:${variant}-${strategy}`;
        const sensorImage = `${registry}/containersensor:${sensorTag}-${variant}`;
        const step = await job.run(inputs({ targetImage, sensorImage, strategy }));
        assert.match(assertFailed(step, code), reason);
        assert.doesNotMatch(story(step), /Already done/);
        assert.throws(() => manifest(targetImage));
      });
    });
  }
}

test("Megabytes of output do not harm a patch", needsLab, async () => {
  await inJob(async (job) => {
    const sensorImage = `${registry}/containersensor:${sensorTag}-much-output`;
    const step = await job.run(inputs({ targetImage: `${registry}/app/target:much-output`, sensorImage }));
    assertOrderly(step);
    assert.equal(step.result, "Succeeded", story(step).slice(-2000));
  });
});

test(
  "An image that takes the names of the patched one changes nothing of what is pushed",
  needsLab,
  async () => {
    docker("pull", "--quiet", "--platform", "linux/arm64", `${registry}/app/web:root`);
    await inJob(async (job) => {
      const undisturbed = await digestOf(job, { targetImage: `${registry}/app/other:undisturbed` });
      const targetImage = `${registry}/app/target:exchanged`;
      await front("POST", "/faults", {
        match: { method: "PUT", pathPattern: "/app/target/manifests" },
        count: 3,
        delayMs: 1500,
      });
      try {
        const running = job.start(inputs({ targetImage }));
        await running.until(/layers?: .*(uploaded|mounted|there already)/);
        const ours = docker("images", "--format", "{{.Repository}}:{{.Tag}}").match(
          /falcon-patch\.invalid\/\S+/g,
        );
        assert.ok(ours?.length, "the patched image has a name of the run");
        const [patched] = ours.map((name) => docker("image", "inspect", "--format", "{{.Id}}", name));
        for (const name of [...ours, targetImage]) docker("tag", `${registry}/app/web:root`, name);
        const step = await running.done;
        assertSucceeded(step);
        assert.equal(step.outputs.imageDigest, undisturbed);
        assert.deepEqual(config(targetImage), config(`${registry}/app/other:undisturbed`));
        // The image that lost its name is not the run's any more.
        docker("image", "rm", patched);
      } finally {
        await front("DELETE", "/faults");
        docker("image", "rm", targetImage);
      }
    });
    docker("image", "rm", `${registry}/app/web:root`);
  },
);

test("An image of the user under the target's name stays as it is, also after a kill", needsLab, async () => {
  const targetImage = `${registry}/app/target:owned`;
  docker("pull", "--quiet", "--platform", "linux/arm64", source);
  docker("tag", source, targetImage);
  const before = engineState();
  await inJob(async (job) => {
    await digestOf(job, { targetImage });
    assert.deepEqual(ownedBy(targetImage), ownedBy(source));
    await front("POST", "/faults", {
      match: { method: "PUT", pathPattern: "/app/target/manifests" },
      count: 1,
      delayMs: 60000,
    });
    try {
      const running = job.start(inputs({ targetImage }));
      await running.until(/##\[group\]Push the image to/);
      running.child.kill("SIGKILL");
      await running.done;
    } finally {
      await front("DELETE", "/faults");
    }
    assert.deepEqual(ownedBy(targetImage), ownedBy(source));
  });
  assert.deepEqual(engineState(), before);
  docker("image", "rm", targetImage, source);
});

const ownedBy = (name) => docker("image", "inspect", "--format", "{{.Id}} {{json .RepoDigests}}", name);

test("Runs at the same time do not disturb each other", needsLab, async () => {
  const other = new Job();
  try {
    await inJob(async (job) => {
      const targetImage = `${registry}/app/target:at-once`;
      const steps = await Promise.all([job, other].map((each) => each.run(inputs({ targetImage }))));
      for (const step of steps) assertSucceeded(step);
      assert.equal(steps[0].outputs.imageDigest, steps[1].outputs.imageDigest);
      await other.post();
    });
  } finally {
    other.end();
  }
});

test("An image of the engine is pushed as it is, with the sensor on top", needsLab, async () => {
  docker("pull", "--quiet", "--platform", "linux/arm64", source);
  docker("tag", source, "local/owned:1");
  docker("image", "rm", source);
  await inJob(async (job) => {
    const targetImage = `${registry}/app/target:of-engine`;
    const given = { targetImage, sourceImage: "local/owned:1", sourceLocation: "engine" };
    assertSucceeded(await job.run(inputs(given)));
    const [before, after] = [config(source), config(targetImage)];
    assert.deepEqual(after.rootfs.diff_ids.slice(0, -1), before.rootfs.diff_ids);
    assert.deepEqual(after.config.Cmd, before.config.Cmd);
    assert.ok(lastLayer(targetImage).every((path) => path === "" || path.startsWith("opt/CrowdStrike/")));
  });
  docker("image", "rm", "local/owned:1");
});

/** What builders drop, fill in or join: real images have all of it. */
const odd = {
  Env: ["PATH=/usr/bin", "APP_DIR=/w", "PATH=/cnb/process:/usr/bin"],
  MacAddress: "02:42:ac:11:00:02",
  NetworkDisabled: true,
  Volumes: { "/x": null },
  ExposedPorts: { "80/tcp": null },
  Healthcheck: { Test: ["CMD", "true"], StartPeriod: 0 },
  FromTheFuture: { kept: [1, null] },
};

test("A configuration that builders change stays as it is", needsLab, async () => {
  const oddSource = await derive(source, "odd", (image) => Object.assign(image.config.config, odd));
  const kept = (reference) => {
    const { Env, Entrypoint, ...rest } = config(reference).config;
    const ours = /^(FALCONCTL_OPTS|CS_CLOUD_SERVICE|__CS_FALCON_SENSOR_ROOT)=/;
    return { ...rest, Env: Env.filter((text) => !ours.test(text)), first: Entrypoint.at(-1) };
  };
  await inJob(async (job) => {
    const digests = [];
    for (const strategy of strategies) {
      const targetImage = `${registry}/app/target:odd-${strategy}`;
      digests.push(await digestOf(job, { sourceImage: oddSource, targetImage, strategy }));
      assert.deepEqual(kept(targetImage), kept(oddSource));
      const gate = { action: "verify", targetImage, sourceImage: oddSource };
      assertSucceeded(await job.run(inputs(gate)));
    }
    assert.equal(digests[0], digests[1]);
  });
  docker("pull", "--quiet", "--platform", "linux/arm64", oddSource);
  docker("tag", oddSource, "local/odd:1");
  docker("image", "rm", oddSource);
  await inJob(async (job) => {
    const targetImage = `${registry}/app/target:odd-of-engine`;
    await digestOf(job, { sourceImage: "local/odd:1", sourceLocation: "engine", targetImage });
    assert.deepEqual(kept(targetImage), kept(oddSource));
  });
  docker("image", "rm", "local/odd:1");
});
