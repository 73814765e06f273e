// A target that is up to date is kept, and the record of a patch decides only together with the image.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { afterEach, test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertOrderly, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import {
  content,
  crane,
  customerId,
  front,
  inLab,
  inputs,
  keys,
  manifest,
  needsLab,
  registry,
  sensorTag,
} from "./lab.mjs";

afterEach(async () => {
  if (!inLab) return;
  await front("DELETE", "/faults");
  await front("PUT", "/settings", { referrers: true });
});

/** Inputs with the defaults, which keep a target that is up to date. */
const asked = (changes) => inputs({ skipUnchanged: "true", ...changes });
const target = (tag) => `${registry}/app/target:${tag}`;
/** Referrers of an image, as a registry with the API lists them. */
async function referrers(digest, repository = "app/target") {
  const auth = Buffer.from(`AWS:${registry.slice(0, 12)}-auth-token`).toString("base64");
  const response = await fetch(`https://${registry}/v2/${repository}/referrers/${digest}`, {
    headers: { authorization: `Basic ${auth}` },
  });
  assert.equal(response.status, 200);
  return (await response.json()).manifests;
}

test("An unchanged image costs a few requests and no engine", needsLab, async () => {
  const given = asked({ targetImage: target("unchanged"), containerName: "web" });
  let first;
  await inJob(async (job) => {
    first = await job.run(given);
    assertSucceeded(first);
  });
  await front("DELETE", "/requests");
  const second = await withoutEngine(given);
  const requests = (await front("GET", "/requests")).map(({ method, path }) => `${method} ${path}`);
  assertSucceeded(second);
  assert.deepEqual(second.outputs, { ...first.outputs, changed: "false" });
  assert.deepEqual(second.variables, first.variables);
  assert.ok(requests.length < 10, requests.join("\n"));
  assert.match(story(second), /##\[section\]Nothing to patch: the target is up to date/);
  assert.doesNotMatch(story(second), /^Changed:/m);
});

/** A job on an agent whose engine is down; it leaves nothing either. */
async function withoutEngine(given) {
  const job = new Job();
  execFileSync("engine", ["stop"]);
  try {
    const step = await job.run(given);
    assert.deepEqual((await job.post()).warnings, []);
    assert.deepEqual(job.files(), []);
    return step;
  } finally {
    execFileSync("engine", ["start"]);
    job.end();
  }
}

test("The record of an image can be read and holds no secret", needsLab, async () => {
  const variables = {
    "System.TeamProject": "Web Shop",
    "Build.BuildId": "42",
    "Build.Repository.Uri": "https://someone:token@dev.azure.com/contoso/_git/shop",
    "Build.SourceVersion": "0a1b2c3d",
  };
  await inJob(
    async (job) => {
      const falconctlOptions = "--provisioning-token=A1B2C3D4";
      const step = await job.run(inputs({ targetImage: target("recorded"), falconctlOptions }));
      assertSucceeded(step);
      const [record, ...others] = await referrers(step.outputs.imageDigest);
      assert.deepEqual(others, []);
      assert.equal(record.artifactType, "application/vnd.in-toto+json");
      assert.equal(record.annotations["falcon-patch.source"], step.outputs.sourceDigest);
      assert.equal(record.annotations["falcon-patch.sensor"], step.outputs.sensorDigest);
      assert.equal(record.annotations["falcon-patch.sensor-version"], sensorTag);
      const artifact = manifest(`${registry}/app/target@${record.digest}`);
      const blob = content(`${registry}/app/target@${artifact.layers[0].digest}`);
      const statement = JSON.parse(blob);
      assert.equal(statement.subject[0].digest.sha256, step.outputs.imageDigest.replace("sha256:", ""));
      const { buildDefinition, runDetails } = statement.predicate;
      assert.match(runDetails.metadata.invocationId, /Web%20Shop\/_build\/results\?buildId=42$/);
      const pipeline = buildDefinition.resolvedDependencies.find(({ name }) => name === "pipeline");
      assert.deepEqual(pipeline.digest, { gitCommit: "0a1b2c3d" });
      for (const secret of [customerId, "A1B2C3D4", "someone", "token@"]) {
        assert.ok(!blob.includes(secret) && !JSON.stringify(artifact).includes(secret), secret);
      }
      assertNoLeak(step, ["A1B2C3D4"]);
    },
    { variables },
  );
});

test("Only missing tags are pushed", needsLab, async () => {
  await inJob(async (job) => {
    const given = asked({ targetImage: target("tagged"), additionalTags: "tagged-1" });
    assertSucceeded(await job.run(given));
    const again = await job.run({ ...given, additionalTags: "tagged-1\ntagged-2" });
    assertSucceeded(again);
    assert.equal(again.outputs.changed, "false");
    assert.deepEqual(manifest(target("tagged-2")), manifest(target("tagged")));
    assert.match(again.text, /Add the tag tagged-2/);
    assert.doesNotMatch(again.text, /Add the tag tagged-1/);
    assert.doesNotMatch(again.text, /Pull the source/);
  });
});

test("Every change is named, and the image is patched again", needsLab, async () => {
  await inJob(async (job) => {
    const given = asked({ targetImage: target("changing"), containerName: "changing" });
    assertSucceeded(await job.run(given));
    const sensorImage = `${registry}/containersensor:${sensorTag}-other-texts`;
    const changes = [
      [{ containerName: "changed" }, /patched with another value of `containerName`/],
      [{ sensorImage, containerName: "changed" }, /patched with another sensor/],
      [
        { sourceImage: `${registry}/app/web:oci`, sensorImage, containerName: "changed" },
        /patched from another source/,
      ],
      [
        {
          sourceImage: `${registry}/app/web:oci`,
          sensorImage,
          containerName: "changed",
          skipUnchanged: "false",
        },
        /`skipUnchanged` is false/,
      ],
    ];
    for (const [change, reason] of changes) {
      const step = await job.run({ ...given, ...change });
      assertSucceeded(step);
      assert.equal(step.outputs.changed, "true");
      assert.match(story(step), reason);
    }
  });
});

test("A plan for an image that is up to date would change nothing", needsLab, async () => {
  await inJob(async (job) => {
    const given = asked({ targetImage: target("planned") });
    const made = await job.run(given);
    assertSucceeded(made);
    const plan = await job.run({ ...given, action: "plan" });
    assertSucceeded(plan);
    assert.deepEqual(plan.outputs, { ...made.outputs, changed: "false" });
    assert.match(story(plan), /##\[section\]Plan: patching would change nothing/);
  });
});

test("A registry without the referrers API keeps the record under a tag", needsLab, async () => {
  await front("PUT", "/settings", { referrers: "tag" });
  await inJob(async (job) => {
    const given = asked({ targetImage: target("by-tag") });
    const first = await job.run(given);
    assertSucceeded(first);
    const tag = first.outputs.imageDigest.replace(":", "-");
    assert.ok(story(first).includes(`, listed under the tag \`${tag}\``), story(first));
    const index = manifest(target(tag));
    assert.equal(index.manifests.length, 1);
    const second = await job.run(given);
    assertSucceeded(second);
    assert.equal(second.outputs.changed, "false");
  });
});

/** Asserts that the image is good, and that the missing record is a warning. */
function assertUnrecorded(step) {
  assertOrderly(step);
  assert.equal(step.result, "Succeeded", story(step));
  assert.equal(step.outputs.changed, "true");
  assert.deepEqual(
    step.warnings.map(({ code }) => code),
    ["REGISTRY_PROVENANCE_REFUSED"],
  );
}

test("A refused or lost record is a warning, and the next run patches again", needsLab, async () => {
  await inJob(async (job) => {
    const given = asked({ targetImage: target("unrecorded"), containerName: "unrecorded" });
    await front("PUT", "/settings", { referrers: false });
    assertUnrecorded(await job.run(given));
    await front("PUT", "/settings", { referrers: true });
    const lost = { mediaType: "application/vnd.oci.image.index.v1+json", schemaVersion: 2, manifests: [] };
    await front("POST", "/faults", {
      match: { method: "GET", pathPattern: "/referrers/" },
      count: 3,
      answer: { status: 200, headers: { "content-type": lost.mediaType }, body: lost },
    });
    const again = await job.run(given);
    assertUnrecorded(again);
    assert.match(story(again), /the registry has no record of what it was made of/);
    await front("DELETE", "/faults");
    assert.equal((await referrers(again.outputs.imageDigest)).length, 1, "it was lost to us alone");
  });
});

test("An immutable tag of a stopped run is kept as it is", needsLab, async () => {
  await front("PUT", "/repositories/app/fixed", { immutable: true });
  await inJob(async (job) => {
    const given = asked({ targetImage: `${registry}/app/fixed:1`, containerName: "fixed" });
    await front("PUT", "/settings", { referrers: false });
    assertUnrecorded(await job.run(given));
    await front("PUT", "/settings", { referrers: true });
    const adopted = await job.run(given);
    assertOrderly(adopted);
    assert.equal(adopted.result, "Succeeded", story(adopted));
    assert.equal(adopted.outputs.changed, "false");
    assert.deepEqual(
      adopted.warnings.map(({ code }) => code),
      ["FALCON_TARGET_ADOPTED"],
    );
    const other = await job.run({ ...given, containerName: "web" });
    assert.match(assertFailed(other, "ECR_TAG_IMMUTABLE"), /`1`/);
  });
});

test("An immutable tag that is up to date is a success", needsLab, async () => {
  await front("PUT", "/repositories/app/fixed", { immutable: true });
  await inJob(async (job) => {
    const given = asked({ targetImage: `${registry}/app/fixed:2` });
    assertSucceeded(await job.run(given));
    const again = await job.run(given);
    assertSucceeded(again);
    assert.equal(again.outputs.changed, "false");
  });
});

test("The gate reads the record", needsLab, async () => {
  await inJob(async (job) => {
    const made = await job.run(asked({ targetImage: target("gated"), containerName: "gated" }));
    assertSucceeded(made);
    const gate = { action: "verify", targetImage: target("gated"), ...keys("ADMIN") };
    const passed = await job.run({ ...gate, minimumSensorVersion: "7.39" });
    assertSucceeded(passed);
    for (const name of ["imageDigest", "sourceDigest", "sensorDigest", "sensorVersion"]) {
      assert.equal(passed.outputs[name], made.outputs[name], name);
    }
    assert.match(story(passed), /^ {2}Recorded at +20\d\d-\d\d-\d\dT/m);
    assertFailed(await job.run({ ...gate, minimumSensorVersion: "7.40" }), "FALCON_SENSOR_TOO_OLD");
  });
});

test("An image that loses its tag is named, before and after", needsLab, async () => {
  const given = asked({ targetImage: target("replaced"), containerName: "replaced" });
  crane("copy", "--platform", "linux/arm64", given.sourceImage, given.targetImage);
  await inJob(async (job) => {
    const told = /which replaces sha256:[0-9a-f]{64}, not a patched image/;
    const plan = await job.run({ ...given, action: "plan" });
    assert.match(story(plan), new RegExp(`Add the tag .*, ${told.source}`));
    const step = await job.run(given);
    assertSucceeded(step);
    assert.match(story(step), new RegExp(`^ {2}pushed .*, ${told.source}`, "m"));
    assert.ok(
      step.summaries.some(({ text }) => told.test(text)),
      "the summary names it too",
    );
    // The same patch again replaces nothing.
    assert.doesNotMatch(
      story(await job.run({ ...given, skipUnchanged: "false" })),
      /^ {2}pushed .*replaces/m,
    );
  });
});
