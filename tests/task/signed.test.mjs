// Patching with a key: the record is one that cosign verifies, only such records are believed, and none leaves no tag.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { afterEach, before, test } from "node:test";
import { story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertOrderly, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { crane, customerId, front, inLab, inputs, keys, manifest, needsLab, oras, registry } from "./lab.mjs";
import {
  artifact,
  attach,
  bundleType,
  cosignVerifies,
  kmsKey,
  payload,
  referrers,
  statementType,
} from "./records.mjs";

const alias = "alias/falcon-records";
let key;

before(async () => {
  if (inLab) key = await kmsKey({ alias });
});
afterEach(async () => {
  if (!inLab) return;
  await front("DELETE", "/faults");
  await front("PUT", "/settings", { referrers: true });
  await kmsKey({ id: key.id, alias, state: "Enabled", hashesDigests: false });
});

const target = (tag) => `${registry}/app/target:${tag}`;
/** Inputs that sign, for an image of a test's own: the same inputs result in the same digest, which has its records already. */
const signing = (name, changes) =>
  inputs({
    skipUnchanged: "true",
    targetImage: target(name),
    containerName: name,
    signingKey: alias,
    ...changes,
  });
const gate = (name, changes) => ({
  action: "verify",
  targetImage: target(name),
  ...keys("ADMIN"),
  trustedKeys: alias,
  ...changes,
});
const codes = ({ warnings }) => warnings.map(({ code }) => code);
const imageOf = ({ outputs }) => outputs.imageReference;

/** Runs a step, and returns the requests to the registry and to AWS meanwhile. */
async function counted(job, given) {
  await front("DELETE", "/requests");
  const step = await job.run(given);
  const requests = (await front("GET", "/requests")).map(({ method, path }) => `${method} ${path}`);
  const kms = requests.filter((line) => line.includes("aws:kms:")).map((line) => line.split(":").pop());
  return { step, requests, kms };
}

function exists(reference) {
  try {
    crane("digest", reference);
    return true;
  } catch (error) {
    assert.match(String(error.stderr), /MANIFEST_UNKNOWN|NAME_UNKNOWN/);
    return false;
  }
}

test("The record of a patch is a bundle that cosign verifies", needsLab, async () => {
  await inJob(async (job) => {
    const given = signing("bundle", { falconctlOptions: "--provisioning-token=A1B2C3D4" });
    const { step, kms } = await counted(job, given);
    assertSucceeded(step);
    assertNoLeak(step, ["A1B2C3D4", customerId, given.awsSecretAccessKey]);
    // The first request to sign only asks if that is allowed.
    assert.deepEqual(kms, ["GetPublicKey", "Sign", "Sign"]);
    assert.match(story(step), new RegExp(`recorded, signed by ${alias}`));
    assert.ok(step.summaries.some(({ text }) => text.includes(`recorded, signed by`)));
    const [record, ...others] = await referrers(imageOf(step));
    assert.deepEqual(others, [], "no unsigned record beside it");
    assert.equal(record.artifactType, bundleType);
    assert.equal(record.annotations["dev.sigstore.bundle.content"], "dsse-envelope");
    assert.equal(record.annotations["dev.sigstore.bundle.predicateType"], "https://slsa.dev/provenance/v1");
    assert.equal(record.annotations["falcon-patch.sensor"], step.outputs.sensorDigest);
    const { content } = await artifact(imageOf(step), record.digest);
    const [subject, ...more] = payload(content).subject;
    assert.deepEqual(more, []);
    assert.equal(`sha256:${subject.digest.sha256}`, step.outputs.imageDigest);
    for (const secret of [customerId, "A1B2C3D4"]) {
      assert.ok(!content.includes(secret) && !JSON.stringify(payload(content)).includes(secret), secret);
      assert.ok(!JSON.stringify(record).includes(secret), secret);
    }
    for (const by of [alias, key.arn, key.aliasArn, key.publicKey])
      assert.equal(cosignVerifies(imageOf(step), by).payloadType, statementType);
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const other = publicKey.export({ type: "spki", format: "pem" });
    assert.throws(() => cosignVerifies(imageOf(step), other), /no matching attestations/);
    assert.ok(oras("discover", imageOf(step)).includes(bundleType));
    assertSucceeded(await job.run(gate("bundle", { minimumSensorVersion: "7.39" })));
  });
});

test("Without a key the record is not signed, and the log says so", needsLab, async () => {
  await inJob(async (job) => {
    const step = await job.run(signing("plain", { signingKey: "" }));
    assertSucceeded(step);
    assert.match(story(step), /recorded, not signed/);
    assert.ok(step.summaries.some(({ text }) => text.includes("recorded, not signed")));
    assertSucceeded(await job.run(gate("plain", { trustedKeys: "" })));
    assertFailed(await job.run(gate("plain")), "FALCON_RECORD_NOT_SIGNED");
  });
});

test("An unchanged image with a signed record costs a few requests", needsLab, async () => {
  await inJob(async (job) => {
    assertSucceeded(await job.run(signing("kept")));
    for (const [changes, most] of [
      [{}, 13],
      [{ signingKey: "", trustedKeys: key.publicKey }, 12],
    ]) {
      const { step, requests, kms } = await counted(job, signing("kept", changes));
      assertSucceeded(step);
      assert.equal(step.outputs.changed, "false", story(step));
      assert.ok(requests.length <= most, requests.join("\n"));
      assert.deepEqual(kms, changes.trustedKeys ? [] : ["GetPublicKey"]);
      assert.match(story(step), /signed by/);
    }
    // Without keys a signed record is a record as any other.
    const plain = await job.run(signing("kept", { signingKey: "" }));
    assertSucceeded(plain);
    assert.equal(plain.outputs.changed, "false", story(plain));
    const stated = await job.run(gate("kept", { trustedKeys: "", minimumSensorVersion: "7.39" }));
    assertSucceeded(stated);
    assert.match(story(stated), /recorded, not signed/);
  });
});

test("A registry without the referrers API keeps the bundle under a tag", needsLab, async () => {
  await front("PUT", "/settings", { referrers: "tag" });
  await inJob(async (job) => {
    const first = await job.run(signing("by-tag-signed"));
    assertSucceeded(first);
    const index = manifest(target(first.outputs.imageDigest.replace(":", "-")));
    assert.deepEqual(
      index.manifests.map(({ artifactType }) => artifactType),
      [bundleType],
    );
    for (const by of [alias, key.publicKey]) cosignVerifies(imageOf(first), by);
    const second = await job.run(signing("by-tag-signed"));
    assertSucceeded(second);
    assert.equal(second.outputs.changed, "false");
    assertSucceeded(await job.run(gate("by-tag-signed")));
  });
});

test("Skipping believes no record that is not signed by a trusted key", needsLab, async () => {
  await inJob(async (job) => {
    const first = await job.run(signing("unbelieved", { signingKey: "" }));
    assertSucceeded(first);
    const again = await job.run(signing("unbelieved"));
    assertOrderly(again);
    assert.match(story(again), /it is not signed/);
    assert.deepEqual(codes(again), []);
    assert.equal(again.outputs.changed, "true");
    assert.equal(again.outputs.imageDigest, first.outputs.imageDigest, "the same image");
    cosignVerifies(imageOf(again), alias);
    // Now it has both records, of which one counts.
    const third = await job.run(signing("unbelieved"));
    assert.equal(third.outputs.changed, "false", story(third));
  });
});

test("A record of another image that was copied here is not believed", needsLab, async () => {
  await inJob(async (job) => {
    const made = await job.run(signing("copied-from"));
    assertSucceeded(made);
    const plain = await job.run(signing("copied-to", { signingKey: "" }));
    assertSucceeded(plain);
    const [record] = await referrers(imageOf(made));
    const { content } = await artifact(imageOf(made), record.digest);
    const [own] = await referrers(imageOf(plain));
    await attach(imageOf(plain), content, { annotations: own.annotations });
    const refused = await job.run(gate("copied-to"));
    assertFailed(refused, "FALCON_RECORD_NOT_SIGNED");
    const told = refused.warnings.map(({ message }) => message).join("\n");
    assert.match(told, new RegExp(`about ${made.outputs.imageDigest}`));
    const again = await job.run(signing("copied-to"));
    assert.equal(again.outputs.changed, "true", story(again));
  });
});

test("A change of key keeps what the old one has signed", needsLab, async () => {
  await kmsKey({ alias: "alias/new-records" });
  await inJob(async (job) => {
    const first = await job.run(signing("rotated"));
    assertSucceeded(first);
    const changed = { signingKey: "alias/new-records" };
    const both = { ...changed, trustedKeys: `${key.publicKey}alias/new-records` };
    const kept = await job.run(signing("rotated", both));
    assertSucceeded(kept);
    assert.equal(kept.outputs.changed, "false", story(kept));
    assertFailed(
      await job.run(gate("rotated", { trustedKeys: "alias/new-records" })),
      "FALCON_RECORD_NOT_SIGNED",
    );
    const again = await job.run(signing("rotated", changed));
    assertOrderly(again);
    assert.equal(again.outputs.changed, "true", story(again));
    cosignVerifies(imageOf(again), "alias/new-records");
    const passed = await job.run(gate("rotated", { trustedKeys: "alias/new-records" }));
    assertOrderly(passed);
    assert.deepEqual(passed.errors, [], story(passed));
  });
});

/** Faults between the look, which finds that signing is allowed, and the record; each with its code. */
const late = [
  [
    "a signature that the key has not made",
    () => kmsKey({ id: key.id, hashesDigests: true }),
    "AWS_KMS_SIGNATURE_INVALID",
  ],
  ["a refusal of KMS", () => failSign("DisabledException"), "AWS_KMS_KEY_UNUSABLE"],
  ["a refused record", () => front("PUT", "/settings", { referrers: false }), "FALCON_RECORD_NOT_WRITTEN"],
  [
    "a broken upload of the record",
    () =>
      front("POST", "/faults", {
        match: { method: "PUT", pathPattern: "/app/target/manifests/sha256:" },
        after: 1,
        answer: {
          status: 403,
          headers: { "content-type": "application/json" },
          body: { errors: [{ code: "DENIED" }] },
        },
      }),
    "FALCON_RECORD_NOT_WRITTEN",
  ],
];

/** Lets all but a trial of signing fail. */
function failSign(type) {
  const answer = {
    status: 400,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: { __type: type },
  };
  return front("POST", "/faults", { match: { pathPattern: "^aws:kms:Sign$" }, after: 1, answer });
}

for (const strategy of ["graft", "full"]) {
  for (const [name, order, code] of late) {
    test(`${name} leaves no tag with strategy ${strategy}`.replace(/^a/, "A"), needsLab, async () => {
      await inJob(async (job) => {
        const given = signing(`late-${strategy}-${code.toLowerCase()}`, {
          strategy,
          additionalTags: "late-more",
        });
        await order();
        const step = await job.run(given);
        const message = assertFailed(step, code);
        assertNoLeak(step, [given.awsSecretAccessKey, customerId]);
        for (const tag of [given.targetImage, target("late-more")])
          assert.ok(!exists(tag), `${tag}: ${message}`);
      });
    });
  }
}

test("A signing that fails leaves an existing tag where it is", needsLab, async () => {
  await inJob(async (job) => {
    const given = signing("stays");
    const first = await job.run(given);
    assertSucceeded(first);
    await kmsKey({ id: key.id, hashesDigests: true });
    const changed = { ...given, containerName: "stays-changed" };
    assertFailed(await job.run(changed), "AWS_KMS_SIGNATURE_INVALID");
    assert.equal(crane("digest", given.targetImage), first.outputs.imageDigest);
  });
});

test("An immutable tag without a trusted record is refused in the plan", needsLab, async () => {
  await front("PUT", "/repositories/app/sealed", { immutable: true });
  await inJob(async (job) => {
    const given = (tag, changes) =>
      signing("sealed", { targetImage: `${registry}/app/sealed:${tag}`, ...changes });
    assertSucceeded(await job.run(given("1", { signingKey: "" })));
    for (const action of ["plan", "patch"]) {
      const refused = await job.run(given("1", { action }));
      assert.match(assertFailed(refused, "ECR_TAG_IMMUTABLE"), /`1`/);
      assert.doesNotMatch(story(refused), /Pull the/);
    }
  });
  await inJob(async (job) => {
    const given = signing("sealed-2", { targetImage: `${registry}/app/sealed:2` });
    assertSucceeded(await job.run(given));
    const again = await job.run(given);
    assertSucceeded(again);
    assert.equal(again.outputs.changed, "false");
  });
});
