// The gate before a deployment: whether an image is patched, from the registry alone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { layer } from "../lab/images/oci.mjs";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { derive } from "./images.mjs";
import { crane, inLab, keys, manifest, needsLab, registry } from "./lab.mjs";

const image = (name) => `${registry}/${name}`;
const patched = image("app/web:already-patched");
const program = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";
/** Path of the program in the sensor's layer, where `bin` is a link. */
const file = "opt/CrowdStrike/rootfs/usr/bin/falcon-entrypoint";
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

/** Pushes an image with one more layer, made from a table of paths. */
const withLayer = (from, tag, entries, change = () => {}) =>
  derive(from, tag, change, gunzipSync(layer(entries, "COPY").bytes));

/** Sets the marks of the sensor in a configuration, as falconutil does. */
function mark({ config: { config } }) {
  config.Entrypoint = [program, ...config.Entrypoint];
  config.Env.push("__CS_FALCON_SENSOR_ROOT=/opt/CrowdStrike/rootfs");
}

test("A patched image passes without an engine", needsLab, async () => {
  const step = await verify({ targetImage: patched });
  assertSucceeded(step);
  assert.match(story(step), /##\[section\]Verified: the image is patched/);
  assert.match(story(step), /^ {2}Entrypoint +\/opt\/CrowdStrike\/rootfs\/bin\/falcon-entrypoint \//m);
  const [, path, holder] =
    /Sensor files present: (\S+), \d+ bytes, in the layer (\S+)/.exec(story(step)) ?? [];
  assert.deepEqual([path, holder], [`/${file}`, manifest(patched).layers.at(-1).digest]);
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
    deploymentId: "",
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

test("A layer of the app on top of the sensor passes", needsLab, async () => {
  const entries = { "opt/app/motd": "hello\n", "opt/.wh.old": "" };
  assertSucceeded(await verify({ targetImage: await withLayer(patched, "app-on-top", entries) }));
});

test("Marks without a sensor do not pass", needsLab, async () => {
  const targetImage = await derive(image("app/web:1.4.2"), "marks-only", mark);
  const step = await verify({ targetImage });
  const text = `${assertFailed(step, "FALCON_SENSOR_FILES_MISSING")}\n${story(step)}`;
  assert.match(text, /none of the layers that were searched has `\/opt/);
  assert.doesNotMatch(text, /Sensor files present/);
});

test("An added layer without a sensor is not a patch of its source", needsLab, async () => {
  const sourceImage = image("app/web:1.4.2");
  const entries = { "opt/CrowdStrike/readme": "nothing\n" };
  const targetImage = await withLayer(sourceImage, "nothing-added", entries, mark);
  assertFailed(await verify({ targetImage, sourceImage }), "FALCON_SENSOR_FILES_MISSING");
});

test("A file of the source's own does not count as an added sensor", needsLab, async () => {
  const own = { [file]: "own\n", "opt/CrowdStrike/rootfs/bin": { link: "usr/bin" } };
  const sourceImage = await withLayer(image("app/web:1.4.2"), "own-file", own);
  const targetImage = await withLayer(sourceImage, "own-file-marked", { "opt/more": "x" }, mark);
  assertSucceeded(await verify({ targetImage }));
  assertFailed(await verify({ targetImage, sourceImage }), "FALCON_SENSOR_FILES_MISSING");
});

test("A layer of an unknown type does not pass", needsLab, async () => {
  const type = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted";
  const targetImage = await derive(image("app/web:oci"), "encrypted", (documents) => {
    mark(documents);
    documents.manifest.layers.at(-1).mediaType = type;
  });
  const step = await verify({ targetImage });
  const text = `${assertFailed(step, "FALCON_SENSOR_FILES_UNKNOWN")}\n${story(step)}`;
  assert.ok(text.includes(type));
});

const removals = [
  ["removes the program", { "opt/CrowdStrike/rootfs/usr/bin/.wh.falcon-entrypoint": "" }, /removes or hides/],
  ["hides the sensor's folder", { "opt/CrowdStrike/.wh..wh..opq": "" }, /removes or hides/],
  ["empties the program", { [file]: "" }, /an empty file/],
  ["replaces the folder by a link", { "opt/CrowdStrike": { link: "/srv" } }, /none of the layers/],
];

for (const [number, [deed, entries, reason]] of removals.entries()) {
  test(`A layer on top that ${deed} does not pass`, needsLab, async () => {
    const step = await verify({ targetImage: await withLayer(patched, `removed-${number}`, entries) });
    const text = `${assertFailed(step, "FALCON_SENSOR_FILES_MISSING")}\n${story(step)}`;
    assert.match(text, reason);
  });
}

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
