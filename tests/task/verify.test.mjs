// The gate before a deployment: whether an image is patched, from the registry alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { crane, inLab, keys, manifest, needsLab, registry } from "./lab.mjs";

const image = (name) => `${registry}/${name}`;
const patched = image("app/web:already-patched");
const sensorLabel = "falcon.sensor.version";

// Nothing here needs an engine, so there is none.
before(() => {
  if (inLab) execFileSync("engine", ["stop"]);
});
after(() => {
  if (inLab) execFileSync("engine", ["start"]);
});

/** Runs the gate and its post-job step; nothing stays on the agent. */
async function verify(given, env = {}) {
  const job = new Job({ env });
  const inputs = { action: "verify", ...keys("ADMIN"), ...given };
  try {
    const step = await job.run(inputs);
    assertNoLeak(step, [inputs.awsSecretAccessKey].filter(Boolean));
    assert.deepEqual(job.files(), [], "files left by the step");
    assert.ok(!existsSync(`${job.folders.work}/_falcon-arm64-patch`), "no journal");
    assert.deepEqual((await job.post()).warnings, []);
    assert.deepEqual(step.variables, {}, "plain variables stay what they are");
    return step;
  } finally {
    job.end();
  }
}

/** Puts a copy of the patched image with a label, and names it by digest. */
function labelled(version) {
  const tag = image(`app/target:sensor-${version}`);
  crane("mutate", patched, "--label", `${sensorLabel}=${version}`, "--tag", tag);
  return `${image("app/target")}@${crane("digest", tag)}`;
}

test("A patched image passes without an engine", needsLab, async () => {
  const step = await verify({ targetImage: patched });
  assertSucceeded(step);
  assert.match(story(step), /##\[section\]Verified: the image is patched/);
  assert.match(story(step), /^ {2}Entrypoint +\/opt\/CrowdStrike\/rootfs\/bin\/falcon-entrypoint \//m);
  const digest = crane("digest", patched);
  assert.deepEqual(step.outputs, {
    imageReference: `${image("app/web")}@${digest}`,
    imageTag: patched,
    imageDigest: digest,
    sourceDigest: "",
    sensorDigest: "",
    sensorVersion: "",
    changed: "false",
    taskDefinitionPath: "",
    taskDefinitionArn: "",
  });
});

test("An image named by digest passes and has no tag", needsLab, async () => {
  const digest = crane("digest", patched);
  const step = await verify({ targetImage: `app/web@${digest}`, awsRegion: "eu-west-1" });
  assertSucceeded(step);
  assert.equal(step.outputs.imageDigest, digest);
  assert.equal(step.outputs.imageTag, "");
});

test("Of an index, the ARM64 image is verified and named", needsLab, async () => {
  const index = image("app/target:patched-index");
  const references = [patched, image("app/web:amd64-only")];
  crane("index", "append", ...references.flatMap((name) => ["-m", name]), "-t", index);
  const step = await verify({ targetImage: index });
  assertSucceeded(step);
  assert.match(story(step), /is an index; its linux\/arm64 image is sha256:/);
  const digests = manifest(index).manifests.map(({ digest }) => digest);
  assert.ok(digests.includes(step.outputs.imageDigest), "the child's digest, not the index's");
});

test("The source of a patched image is proven and named", needsLab, async () => {
  const step = await verify({ targetImage: patched, sourceImage: image("app/web:1.4.2") });
  assertSucceeded(step);
  assert.match(step.outputs.sourceDigest, /^sha256:/);
});

test("A label gives the sensor version and meets a minimum", needsLab, async () => {
  const step = await verify({ targetImage: labelled("7.39.0-7802"), minimumSensorVersion: "7.39" });
  assertSucceeded(step);
  assert.equal(step.outputs.sensorVersion, "7.39.0-7802");
});

test("A registry outside AWS needs no AWS credentials", needsLab, async () => {
  const none = { awsAccessKeyId: "", awsSecretAccessKey: "" };
  const step = await verify({ targetImage: "127.0.0.1:5001/app/web:already-patched", ...none });
  assertSucceeded(step);
  assert.doesNotMatch(story(step), /AWS: account/);
});

const refusals = [
  [
    "An image that is not patched",
    { targetImage: image("app/web:1.4.2") },
    "FALCON_NOT_PATCHED",
    [/entrypoint/],
  ],
  [
    "An index whose ARM64 image is not patched",
    { targetImage: image("app/web:1.4.2-index") },
    "FALCON_NOT_PATCHED",
    [/its linux\/arm64 image/],
  ],
  [
    "An image for another platform",
    { targetImage: image("app/web:amd64-only") },
    "REGISTRY_PLATFORM_MISSING",
    [/linux\/amd64/],
  ],
  ["A missing tag", { targetImage: image("app/web:nope") }, "REGISTRY_IMAGE_NOT_FOUND", [/nope/]],
  ["A missing repository", { targetImage: image("app/nope:1") }, "ECR_REPOSITORY_NOT_FOUND", [/app\/nope/]],
  [
    "A patch of another source",
    { targetImage: patched, sourceImage: image("app/web:root") },
    "FALCON_SOURCE_DIFFERS",
    [/not the source's/],
  ],
  [
    "An image without a known sensor version",
    { targetImage: patched, minimumSensorVersion: "7.39" },
    "FALCON_SENSOR_VERSION_UNKNOWN",
    [/falcon\.sensor\.version/],
  ],
  [
    "A target without credentials",
    { targetImage: patched, awsAccessKeyId: "", awsSecretAccessKey: "" },
    "AWS_CREDENTIALS_MISSING",
    [],
  ],
  [
    "A pair of keys without permission to sign in",
    { targetImage: patched, ...keys("LIMITED") },
    "AWS_DENIED",
    [],
  ],
  ["A missing target", {}, "INPUT_MISSING", [/`targetImage`/]],
];

for (const [situation, given, code, patterns] of refusals) {
  test(`${situation} does not pass`, needsLab, async () => {
    const step = await verify(given);
    const text = `${assertFailed(step, code)}\n${story(step)}`;
    for (const pattern of patterns) assert.match(text, pattern);
  });
}

test("A sensor older than the minimum does not pass", needsLab, async () => {
  const targetImage = labelled("7.9.0-9999");
  const step = await verify({ targetImage, minimumSensorVersion: "7.39.0-7802" });
  assert.match(assertFailed(step, "FALCON_SENSOR_TOO_OLD"), /7\.9\.0-9999/);
});
