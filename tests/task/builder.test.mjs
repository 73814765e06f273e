// The buildx builder for later steps of the job: created, inspected, and removed with the job. It is used as far as possible
// without BuildKit's image.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertOrderly, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { docker, dockerInStep, engineState, inputs, needsLab, registry, sensorTag } from "./lab.mjs";

const builderName = "arm64builder";

/** A folder of the test that a step, the engine and its command line see under the same name. */
function inFolder(use) {
  const folder = mkdtempSync(join(process.env.LAB_TMP, "builder-"));
  return Promise.resolve(use(folder)).finally(() => rmSync(folder, { recursive: true }));
}

/** Every file below a folder with its content and time. */
function listing(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((path) => [path, readFileSync(path, "utf8"), statSync(path).mtimeMs]);
}

/** A home folder with Docker's configuration, a context, and a builder of the user's own. */
function home(folder, ownBuilder) {
  mkdirSync(join(folder, ".docker/buildx/instances"), { recursive: true });
  writeFileSync(
    join(folder, ".docker/config.json"),
    JSON.stringify({ currentContext: "far-away", credsStore: "nobody" }),
  );
  writeFileSync(join(folder, ".docker/buildx/instances", ownBuilder), "{}");
  return { HOME: folder };
}

/**
 * An image by the name that buildx pulls, with programs that only stay alive: Docker Hub is out of reach, and buildx then
 * uses the engine's image. So buildx creates container and volume as ever, but nothing can be built in them.
 */
async function withStandInForBuildKit(use) {
  const name = "moby/buildkit:buildx-stable-1";
  await inFolder((folder) => {
    writeFileSync(join(folder, "buildkitd"), "#!/bin/sh\nexec sleep infinity\n", { mode: 0o755 });
    writeFileSync(join(folder, "buildctl"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    writeFileSync(
      join(folder, "Dockerfile"),
      `FROM ${process.env.LAB_EMULATOR_IMAGE}\nCOPY buildkitd buildctl /usr/bin/\nENTRYPOINT ["buildkitd"]\n`,
    );
    docker("build", "--tag", name, folder);
  });
  try {
    await use();
  } finally {
    docker("image", "rm", name);
  }
}

test("Later steps have a builder, which is removed with the job", needsLab, async () => {
  await withStandInForBuildKit(() =>
    inFolder((folder) =>
      inJob(
        async (job) => {
          const before = [engineState(), listing(folder)];
          const step = await job.run(inputs({ builderName, targetImage: `${registry}/app/target:builder` }));
          assertSucceeded(step);
          assert.match(story(step), /^Driver: +docker-container$/m, "it was inspected");
          assert.match(story(step), /^Platforms: +linux\/arm64/m);
          assert.match(story(step), /^ {2}created the buildx builder `arm64builder`/m);
          assert.deepEqual(engineState().containers, before[0].containers, "nothing is started for it");
          const { BUILDX_CONFIG, BUILDX_BUILDER } = step.variables;
          assert.equal(BUILDX_BUILDER, builderName);
          assert.ok(BUILDX_CONFIG.startsWith(job.folders.temp), BUILDX_CONFIG);

          assert.match(
            dockerInStep(step, "buildx", "inspect"),
            /^Name: +arm64builder$/m,
            "it is what they use",
          );
          dockerInStep(step, "buildx", "inspect", "--bootstrap");
          const { containers, volumes } = engineState();
          assert.ok(containers.some((line) => / buildx_buildkit_falcon-patch-[0-9a-f]{12}$/.test(line)));
          assert.ok(volumes.some((name) => /^buildx_buildkit_falcon-patch-[0-9a-f]{12}_state$/.test(name)));
          assert.deepEqual(listing(folder), before[1], "the user's folder is as it was");
        },
        { env: home(folder, "another") },
      ),
    ),
  );
});

test("Without BuildKit's image, only the build fails", needsLab, async () => {
  await inJob(async (job) => {
    const step = await job.run(inputs({ builderName, targetImage: `${registry}/app/target:builder-unused` }));
    assertSucceeded(step);
    assert.throws(
      () => dockerInStep(step, "buildx", "inspect", "--bootstrap"),
      ({ stderr }) => /moby\/buildkit/.test(stderr),
    );
  });
});

test("A second step of the job uses the builder of the first", needsLab, async () => {
  await inJob(async (job) => {
    const given = inputs({ builderName, targetImage: `${registry}/app/target:builder-twice` });
    const first = await job.run(given);
    assertSucceeded(first);
    job.env = first.variables;
    const second = await job.run({ ...given, builderName: "ARM64builder" });
    assertSucceeded(second);
    assert.match(story(second), /created by an earlier step of this job/);
    assert.doesNotMatch(story(second), /Create the buildx builder/);
    assert.equal(second.variables.BUILDX_CONFIG, first.variables.BUILDX_CONFIG);
  });
});

test("A builder is created although the image is up to date", needsLab, async () => {
  await inJob(async (job) => {
    const targetImage = `${registry}/app/target:builder-kept`;
    const given = inputs({ targetImage, skipUnchanged: "true" });
    assertSucceeded(await job.run(given));
    const step = await job.run({ ...given, builderName });
    assertSucceeded(step);
    assert.equal(step.outputs.changed, "false");
    assert.match(story(step), /^ {2}created the buildx builder `arm64builder`/m);
    assert.doesNotMatch(story(step), /Patch with/);
    assert.match(dockerInStep(step, "buildx", "inspect"), /^Name: +arm64builder$/m);
  });
});

test("The user's own builder is neither hidden nor changed", needsLab, async () => {
  await inFolder(async (folder) => {
    const env = home(folder, builderName);
    const before = listing(folder);
    await inJob(
      async (job) => {
        const step = await job.run(inputs({ builderName }));
        assert.match(assertFailed(step, "ENGINE_BUILDER_TAKEN"), /`arm64builder`/);
        assert.doesNotMatch(story(step), /Pull the source image/);
      },
      { env },
    );
    assert.deepEqual(listing(folder), before);
  });
});

test("Without the buildx plugin, the step fails before any change", needsLab, async () => {
  await inFolder(async (folder) => {
    await inJob(
      async (job) => {
        const step = await job.run(inputs({ builderName }));
        assertFailed(step, "ENGINE_BUILDX_MISSING");
        assert.match(story(step), /docker-buildx-plugin/);
        assert.doesNotMatch(story(step), /Pull the source image/);
      },
      { env: { PATH: "/usr/bin:/bin", HOME: folder } },
    );
  });
});

test("A builder name that buildx would refuse is an invalid input", needsLab, async () => {
  await inJob(async (job) => {
    const message = assertFailed(await job.run(inputs({ builderName: "--use" })), "INPUT_MALFORMED");
    assert.match(message, /builderName/);
  });
});

test("A plan creates no builder", needsLab, async () => {
  await inJob(async (job) => {
    const step = await job.run(inputs({ action: "plan", builderName }));
    assertSucceeded(step);
    assert.match(story(step), /Create the buildx builder `arm64builder` for linux\/arm64/);
    assert.equal(step.variables.BUILDX_BUILDER, undefined);
    assert.deepEqual(job.files(), []);
  });
});

test("A failed or stopped run leaves no builder", needsLab, async () => {
  await inJob(async (job) => {
    const sensorImage = `${registry}/containersensor:${sensorTag}-fails`;
    const failed = await job.run(inputs({ builderName, sensorImage }));
    assertFailed(failed, "FALCONUTIL_FAILED");
    assert.match(story(failed), /Create the buildx builder `arm64builder` for linux\/arm64: done/);
    assert.doesNotMatch(story(failed), /^ {2}created the buildx builder/m);
    assertNoBuilder(job, failed);
  });
  await inJob(async (job) => {
    const sensorImage = `${registry}/containersensor:${sensorTag}-slow`;
    const step = job.start(inputs({ builderName, sensorImage }));
    await step.until(/##\[group\]Patch with/);
    const cancelled = await step.cancel();
    assertOrderly(cancelled);
    assertNoBuilder(job, cancelled);
  });
});

function assertNoBuilder(job, { variables }) {
  assert.equal(variables.BUILDX_CONFIG, undefined);
  assert.equal(variables.BUILDX_BUILDER, undefined);
  const left = readdirSync(job.folders.temp).filter((name) => name.startsWith("falcon-patch-"));
  assert.deepEqual(left, []);
}

test("The post-job step removes the builder of a killed run", needsLab, async () => {
  const job = new Job();
  try {
    const sensorImage = `${registry}/containersensor:${sensorTag}-slow`;
    const step = job.start(inputs({ builderName, sensorImage }));
    await step.until(/##\[group\]Patch with/);
    step.child.kill("SIGKILL");
    await step.done;
    assert.ok(readdirSync(job.folders.temp).some((name) => name.startsWith("falcon-patch-builder-")));
    const post = await job.post();
    assert.deepEqual(post.warnings, [], post.text);
    assert.deepEqual(job.files(), []);
  } finally {
    job.end();
  }
});
