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

test("a_patched_image_passes_without_an_engine", needsLab, async () => {
  const step = await verify({ targetImage: patched });
  assertSucceeded(step);
  assert.match(story(step), /##\[section\]Verified: the image is patched/);
  assert.match(story(step), /^ {2}Entrypoint {2}\/opt\/CrowdStrike\/rootfs\/bin\/falcon-entrypoint \//m);
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

test("an_image_named_by_digest_passes_and_has_no_tag", needsLab, async () => {
  const digest = crane("digest", patched);
  const step = await verify({ targetImage: `app/web@${digest}`, awsRegion: "eu-west-1" });
  assertSucceeded(step);
  assert.equal(step.outputs.imageDigest, digest);
  assert.equal(step.outputs.imageTag, "");
});

test("of_an_index_the_arm64_image_is_verified_and_named", needsLab, async () => {
  const index = image("app/target:patched-index");
  const references = [patched, image("app/web:amd64-only")];
  crane("index", "append", ...references.flatMap((name) => ["-m", name]), "-t", index);
  const step = await verify({ targetImage: index });
  assertSucceeded(step);
  assert.match(story(step), /is an index; its linux\/arm64 image is sha256:/);
  const digests = manifest(index).manifests.map(({ digest }) => digest);
  assert.ok(digests.includes(step.outputs.imageDigest), "the child's digest, not the index's");
});

test("the_source_that_it_is_a_patch_of_is_proven_and_named", needsLab, async () => {
  const step = await verify({ targetImage: patched, sourceImage: image("app/web:1.4.2") });
  assertSucceeded(step);
  assert.match(step.outputs.sourceDigest, /^sha256:/);
});

test("a_label_tells_the_version_and_meets_a_minimum", needsLab, async () => {
  const step = await verify({ targetImage: labelled("7.39.0-7802"), minimumSensorVersion: "7.39" });
  assertSucceeded(step);
  assert.equal(step.outputs.sensorVersion, "7.39.0-7802");
});

test("a_registry_elsewhere_needs_no_aws", needsLab, async () => {
  const none = { awsAccessKeyId: "", awsSecretAccessKey: "" };
  const step = await verify({ targetImage: "127.0.0.1:5001/app/web:already-patched", ...none });
  assertSucceeded(step);
  assert.doesNotMatch(story(step), /AWS: account/);
});

const refusals = [
  [
    "an_image_that_is_not_patched",
    { targetImage: image("app/web:1.4.2") },
    "FALCON_NOT_PATCHED",
    [/entrypoint/],
  ],
  [
    "an_index_whose_arm64_image_is_not_patched",
    { targetImage: image("app/web:1.4.2-index") },
    "FALCON_NOT_PATCHED",
    [/its linux\/arm64 image/],
  ],
  [
    "an_image_for_another_platform",
    { targetImage: image("app/web:amd64-only") },
    "REGISTRY_PLATFORM_MISSING",
    [/linux\/amd64/],
  ],
  ["a_tag_that_is_not_there", { targetImage: image("app/web:nope") }, "REGISTRY_IMAGE_NOT_FOUND", [/nope/]],
  [
    "a_repository_that_is_not_there",
    { targetImage: image("app/nope:1") },
    "ECR_REPOSITORY_NOT_FOUND",
    [/app\/nope/],
  ],
  [
    "a_patch_of_another_source",
    { targetImage: patched, sourceImage: image("app/web:root") },
    "FALCON_SOURCE_DIFFERS",
    [/not the source's/],
  ],
  [
    "a_version_that_nothing_tells",
    { targetImage: patched, minimumSensorVersion: "7.39" },
    "FALCON_SENSOR_VERSION_UNKNOWN",
    [/falcon\.sensor\.version/],
  ],
  [
    "no_credentials",
    { targetImage: patched, awsAccessKeyId: "", awsSecretAccessKey: "" },
    "AWS_CREDENTIALS_MISSING",
    [],
  ],
  ["keys_that_may_not_sign_in", { targetImage: patched, ...keys("LIMITED") }, "AWS_DENIED", []],
  ["no_target", {}, "INPUT_MISSING", [/`targetImage`/]],
];

for (const [situation, given, code, patterns] of refusals) {
  test(`${situation}_does_not_pass`, needsLab, async () => {
    const step = await verify(given);
    const text = `${assertFailed(step, code)}\n${story(step)}`;
    for (const pattern of patterns) assert.match(text, pattern);
  });
}

test("a_sensor_older_than_the_minimum_does_not_pass", needsLab, async () => {
  const targetImage = labelled("7.9.0-9999");
  const step = await verify({ targetImage, minimumSensorVersion: "7.39.0-7802" });
  assert.match(assertFailed(step, "FALCON_SENSOR_TOO_OLD"), /7\.9\.0-9999/);
});
