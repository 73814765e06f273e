// The native falconutil without a pull of its image. Of the stand-ins only `go` is one ELF file without an interpreter; what
// CrowdStrike's own program is was not seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { story } from "./agent.mjs";
import { assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { config, docker, front, inputs, manifest, needsLab, registry, sensorTag } from "./lab.mjs";

const falconEntrypoint = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";
const fetched = /Fetch falconutil out of the native sensor image/;
const pulled = /Pull the sensor image \(the agent's platform\) \S+: done/;
const refused = /falconutil is not run outside of its image: (.*); using the native sensor image/;

const sensor = (variant) => `${registry}/containersensor:${sensorTag}${variant}`;

/** The sensor image for the agent's platform, by digest. */
function nativeImage(reference) {
  const { digest } = manifest(reference).manifests.find(({ platform }) => platform.architecture === "amd64");
  return `${reference.split(":")[0]}@${digest}`;
}

/** Runs a graft that asks falconutil, and returns the requests for layers of the native sensor image too. */
async function graft(job, sensorImage, targetImage) {
  await front("DELETE", "/requests");
  const given = { sensorImage, targetImage, strategy: "graft", graftCache: "none", skipUnchanged: false };
  const step = await job.run(inputs(given));
  const requests = await front("GET", "/requests");
  const layers = manifest(nativeImage(sensorImage)).layers.map(({ digest }) => digest);
  const isOfLayer = ({ path }) => layers.some((digest) => decodeURIComponent(path).includes(digest));
  assertSucceeded(step);
  assert.equal(config(targetImage).config.Entrypoint[0], falconEntrypoint);
  return { step, transfers: requests.filter(isOfLayer) };
}

/** Checks whether the engine has an image. */
function isInEngine(reference) {
  const [repository, digest] = reference.split("@");
  return docker("image", "ls", "--digests", repository).includes(digest);
}

test("A falconutil that is one file runs without a pull of its image", needsLab, async () => {
  await inJob(async (job) => {
    const [image, native] = [sensor("-go"), nativeImage(sensor("-go"))];
    const target = (name) => `${registry}/app/target:native-program-${name}`;
    const first = await graft(job, image, target("first"));
    assert.match(first.step.text, fetched);
    assert.match(first.step.text, /`\/usr\/bin\/falconutil`, \d+ bytes, sha256:/);
    assert.match(first.step.text, /If falconutil does not run outside of its image:/);
    assert.match(first.step.text, /API 1\.\d+ on linux/, "it is the Go program that ran");
    assert.doesNotMatch(first.step.text, pulled);
    assert.doesNotMatch(first.step.text, refused);
    assert.ok(!isInEngine(native), "its image is not in the engine");
    const layers = new Set(first.transfers.map(({ path }) => path));
    assert.equal(layers.size, 1, `the layer with the program alone: ${[...layers]}`);

    const second = await graft(job, image, target("second"));
    assert.match(second.step.text, /an earlier step on this agent has fetched it/);
    assert.deepEqual(second.transfers, []);
    assert.ok(!isInEngine(native));

    docker("pull", "--quiet", native);
    const third = await graft(job, image, target("third"));
    docker("image", "rm", native);
    assert.doesNotMatch(third.step.text, fetched);
    const digests = [first, second, third].map(({ step }) => step.outputs.imageDigest);
    assert.equal(new Set(digests).size, 1, `the same image each time: ${digests}`);
  });
});

for (const [variant, reason] of [
  ["-go-in-image", /it ended with exit code 1$/],
  ["-dynamic", /does not run alone: its ELF file names an interpreter/],
  ["", /does not run alone: it is not an ELF file/],
])
  test(`A falconutil that needs its image runs in it: ${sensorTag}${variant}`, needsLab, async () => {
    await inJob(async (job) => {
      const targetImage = `${registry}/app/target:native-program${variant}`;
      const { step } = await graft(job, sensor(variant), targetImage);
      assert.match(step.text.match(refused)?.[1] ?? story(step), reason);
      assert.match(step.text, pulled);
      assert.doesNotMatch(step.text, /Grafting is not possible/);
      assert.match(step.text, /Patch a stub of the source with the native falconutil/);
      assert.ok(isInEngine(nativeImage(sensor(variant))));
    });
  });
