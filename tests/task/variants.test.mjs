// Sensors of every kind that is documented or to be expected, and sources that only the agent's engine has.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { story } from "./agent.mjs";
import { assertOrderly, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { config, docker, inputs, manifest, needsLab, registry, sensorTag } from "./lab.mjs";

const falconEntrypoint = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";
const native = /Patch with the native falconutil/;
const emulated = /Patch with the ARM64 falconutil under emulation/;

const sensors = {
  [`${sensorTag}-no-platform`]: emulated,
  [`${sensorTag}-arm64-only`]: emulated,
  [`${sensorTag}-other-texts`]: native,
  [`${sensorTag}-pulls`]: native,
  "7.31.0-7003.container.aarch64": emulated,
};

for (const [tag, way] of Object.entries(sensors)) {
  test(`The sensor ${tag} patches the image`, needsLab, async () => {
    await inJob(async (job) => {
      const target = `${registry}/app/target:${tag}`;
      const step = await job.run(
        inputs({ sensorImage: `${registry}/containersensor:${tag}`, targetImage: target }),
      );
      assertSucceeded(step);
      assert.match(story(step), way);
      assert.equal(step.outputs.sensorVersion, tag.match(/^[\d.]+-\d+/)[0]);
      assert.equal(config(target).config.Entrypoint[0], falconEntrypoint);
    });
  });
}

for (const variant of ["extra", "split-layers"])
  test(`Additions of a newer falconutil are a warning: ${variant}`, needsLab, async () => {
    await inJob(async (job) => {
      const tag = `${sensorTag}-${variant}`;
      const step = await job.run(
        inputs({
          sensorImage: `${registry}/containersensor:${tag}`,
          targetImage: `${registry}/app/target:${tag}`,
        }),
      );
      assertOrderly(step);
      assert.equal(step.result, "Succeeded", story(step));
      assert.deepEqual(
        step.warnings.map(({ code }) => code),
        ["FALCONUTIL_CHANGED_MORE"],
      );
    });
  });

for (const tag of ["1.4.2-index", "oci", "root", "no-entrypoint"]) {
  test(`The source ${tag} keeps its configuration`, needsLab, async () => {
    await inJob(async (job) => {
      const target = `${registry}/app/target:source-${tag}`;
      const step = await job.run(inputs({ sourceImage: `${registry}/app/web:${tag}`, targetImage: target }));
      assertSucceeded(step);
      const patched = manifest(target);
      assert.ok(Array.isArray(patched.layers), "one image, not an index");
      assert.equal(config(target).architecture, "arm64");
    });
  });
}

/** Builds an ARM64 image in the engine as a pipeline does before this step. */
function build(name, ...args) {
  const folder = mkdtempSync(join(process.env.LAB_TMP, "build-"));
  writeFileSync(join(folder, "page.html"), "<p>built in this job</p>\n");
  writeFileSync(
    join(folder, "Dockerfile"),
    'FROM scratch\nCOPY page.html /page.html\nENV GREETING=hello\nUSER 65534\nENTRYPOINT ["/serve"]\nCMD ["--all"]\n',
  );
  docker(...args, "--platform", "linux/arm64", "--tag", name, folder);
  rmSync(folder, { recursive: true });
}

const builds = {
  "docker build": ["build"],
  "docker buildx build with its default attestations": ["buildx", "build", "--load"],
  "docker buildx build with provenance": ["buildx", "build", "--load", "--provenance=mode=min"],
};

for (const [how, args] of Object.entries(builds)) {
  test(`An image of ${how} is patched from the engine`, needsLab, async () => {
    const name = "local/app:dev";
    // The classic store refuses attestations that are asked for: https://docs.docker.com/build/metadata/attestations/
    if (process.env.LAB_STORE === "overlay2" && args.includes("--provenance=mode=min")) {
      assert.throws(() => build(name, ...args), /attestation|provenance/i);
      return;
    }
    build(name, ...args);
    try {
      await inJob(async (job) => {
        const target = `${registry}/app/target:from-engine`;
        const step = await job.run(
          inputs({ sourceLocation: "engine", sourceImage: name, targetImage: target, containerName: "web" }),
        );
        assertSucceeded(step);
        assert.equal(step.outputs.sourceDigest, "");
        assert.equal(step.variables.SOURCE_IMAGE_URI, name);
        const patched = config(target).config;
        assert.deepEqual(patched.Entrypoint, [falconEntrypoint, "/serve"]);
        assert.deepEqual(patched.Cmd, ["--all"]);
        assert.equal(patched.User, "65534");
      });
    } finally {
      docker("image", "rm", name);
    }
  });
}
