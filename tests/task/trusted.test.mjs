// The gate with keys: it believes the records that one of them has signed, and names all others.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertOrderly, assertSucceeded } from "./expect.mjs";
import {
  annotations,
  changed,
  forged,
  other,
  pair,
  pem,
  set,
  signedBy,
  spoilt,
  trusted,
  unsigned,
} from "./forged.mjs";
import { derive } from "./images.mjs";
import { cosign, crane, front, inLab, keys, needsLab, oras, registry } from "./lab.mjs";
import { attach, cosignVerifies, kmsKey, payload, statement } from "./records.mjs";

// Nothing here needs an engine, so there is none.
before(() => {
  if (inLab) execFileSync("engine", ["stop"]);
});
after(() => {
  if (inLab) execFileSync("engine", ["start"]);
});
afterEach(async () => {
  if (inLab) await front("PUT", "/settings", { referrers: true });
});

let images = 0;

/** A patched image that no record is about, named by digest. */
async function freshImage() {
  images += 1;
  const tag = await derive(`${registry}/app/web:already-patched`, `trusted-${images}`, (image) => {
    image.config.config.Labels = { ...image.config.config.Labels, number: `${images}` };
  });
  const digest = crane("digest", tag);
  return { image: `${registry}/app/web@${digest}`, digest };
}

/** Runs the gate, with the trusted key's PEM unless another is given. */
async function verify(targetImage, given = {}) {
  const job = new Job();
  try {
    const inputs = { action: "verify", trustedKeys: pem(trusted), ...keys("ADMIN"), targetImage, ...given };
    const step = await job.run(inputs);
    assertNoLeak(step, [inputs.awsSecretAccessKey]);
    assert.deepEqual(job.files(), [], "files left by the step");
    assert.deepEqual((await job.post()).warnings, []);
    return step;
  } finally {
    job.end();
  }
}

const codes = ({ warnings }) => warnings.map(({ code }) => code);
const warned = (step, code) =>
  step.warnings
    .filter((warning) => warning.code === code)
    .map(({ message }) => message)
    .join("\n");

/** Reasons that need no attack to come about, and so no warning. */
const harmless = /it is not signed|no trusted key has signed it/;
/** The annotation by which a record calls itself one of this task. */
const ours = { "falcon-patch.schema": "1" };

/** Asserts that no record counts, and that the one beside the image is named with the reason, if there is one. */
function assertIgnored(step, reason) {
  const message = assertFailed(step, "FALCON_RECORD_NOT_SIGNED");
  if (reason === undefined) return assert.deepEqual(codes(step), [], story(step));
  const text = `${message}\n${story(step)}`;
  assert.match(text, reason);
  assert.deepEqual(codes(step), harmless.test(text) ? [] : ["FALCON_RECORD_IGNORED"], text);
}

/** Returns true if cosign verifies a record of the image by the trusted key. */
function cosignAccepts(image) {
  try {
    cosignVerifies(image, pem(trusted));
    return true;
  } catch (error) {
    assert.match(String(error.stderr), /no matching attestations|matched the predicate type/);
    return false;
  }
}

for (const [name, make, reason, isAccepted = false] of forged) {
  test(`The gate does not believe ${name}`, needsLab, async () => {
    const { image, digest } = await freshImage();
    const record = make(digest);
    const [content, options] = record;
    if (record.length > 0) await attach(image, content, { annotations: ours, ...options });
    assert.equal(cosignAccepts(image), isAccepted, "the record is what it is called");
    assertIgnored(await verify(image), reason);
  });
}

test("The gate believes a signed record and names the key", needsLab, async () => {
  const { image, digest } = await freshImage();
  await attach(image, signedBy(digest, trusted));
  const step = await verify(image, { minimumSensorVersion: "7.39" });
  assertSucceeded(step);
  assert.equal(step.outputs.sensorVersion, "7.39.0-7802");
  assert.equal(step.outputs.sensorDigest, `sha256:${"2".repeat(64)}`);
  assert.match(story(step), /signed by SHA256:/);
  assert.ok(cosignAccepts(image));
});

test("Annotations that lie are not believed", needsLab, async () => {
  const { image, digest } = await freshImage();
  await attach(image, signedBy(digest, trusted), { annotations });
  const step = await verify(image);
  assertSucceeded(step);
  assert.equal(step.outputs.sensorVersion, "7.39.0-7802");
  assertFailed(await verify(image, { minimumSensorVersion: "7.50" }), "FALCON_SENSOR_TOO_OLD");
});

test("One good record counts among bad ones, which are named", needsLab, async () => {
  const { image, digest } = await freshImage();
  await attach(image, ...unsigned(digest));
  await attach(image, signedBy(digest, other));
  await attach(image, signedBy(digest, trusted));
  await attach(image, "no bundle", { annotations: ours });
  const step = await verify(image, { minimumSensorVersion: "7.39" });
  assertOrderly(step);
  assert.deepEqual(step.errors, [], story(step));
  assert.equal(step.outputs.sensorVersion, "7.39.0-7802");
  assert.deepEqual(codes(step), ["FALCON_RECORD_IGNORED"]);
  assert.match(warned(step, "FALCON_RECORD_IGNORED"), /not a bundle/);
  for (const reason of [/it is not signed/, /no trusted key has signed it/])
    assert.match(story(step), reason);
});

test("The oldest sensor of several signed records counts", needsLab, async () => {
  const { image, digest } = await freshImage();
  for (const version of ["7.41.0-1", "7.38.0-1", "7.40.0-1"]) {
    const parameter = "predicate.buildDefinition.externalParameters.sensorVersion";
    await attach(image, changed(digest, set(parameter, version)));
  }
  const step = await verify(image, { minimumSensorVersion: "7.39" });
  assert.match(assertFailed(step, "FALCON_SENSOR_TOO_OLD"), /7\.38\.0-1/);
});

test("A bundle without a hint, as cosign accepts it, is believed", needsLab, async () => {
  for (const value of [undefined, "", "some text"]) {
    const { image, digest } = await freshImage();
    await attach(image, spoilt(digest, set("verificationMaterial.publicKey.hint", value)));
    assertSucceeded(await verify(image));
  }
});

test("One of several keys is enough", needsLab, async () => {
  const { image, digest } = await freshImage();
  const { aliasArn } = await kmsKey({ alias: "alias/unused" });
  await attach(image, signedBy(digest, trusted));
  assertSucceeded(await verify(image, { trustedKeys: `${pem(other)}${pem(trusted)}` }));
  assertSucceeded(await verify(image, { trustedKeys: `${aliasArn}\n${pem(trusted)}alias/unused` }));
  assertIgnored(await verify(image, { trustedKeys: pem(other) }), /no trusted key has signed it/);
});

const pkcs8 = ({ privateKey }) => privateKey.export({ type: "pkcs8", format: "pem" });

test("A KMS key is trusted by each of its names, for one request", needsLab, async () => {
  const alias = "alias/gate";
  const { arn, aliasArn } = await kmsKey({ alias, privateKey: pkcs8(trusted) });
  const { image, digest } = await freshImage();
  await attach(image, signedBy(digest, trusted));
  for (const name of [alias, arn, aliasArn, `awskms:///${alias}`, `awskms:///${arn}`]) {
    await front("DELETE", "/requests");
    const step = await verify(image, { trustedKeys: name });
    assertSucceeded(step);
    assert.ok(story(step).includes(`signed by ${name.replace("awskms:///", "")}`), story(step));
    const asked = (await front("GET", "/requests")).filter(({ path }) => path.startsWith("aws:kms:"));
    assert.deepEqual(
      asked.map(({ path }) => path),
      ["aws:kms:GetPublicKey"],
      name,
    );
  }
  // The gate signs nothing, and the key that signs is trusted if no other is named.
  assertSucceeded(await verify(image, { trustedKeys: alias, ...keys("NOSIGN") }));
  assertSucceeded(await verify(image, { trustedKeys: "", signingKey: alias }));
});

test("A key of another account and region is trusted by its ARN", needsLab, async () => {
  const { image, digest } = await freshImage();
  await attach(image, signedBy(digest, trusted));
  const place = { region: "us-east-1", account: "210987654321" };
  const { arn } = await kmsKey({ ...place, privateKey: pkcs8(trusted), shared: true });
  assertSucceeded(await verify(image, { trustedKeys: arn }));
});

test("A PEM and a registry outside AWS need no AWS credentials", needsLab, async () => {
  await front("PUT", "/settings", { referrers: "tag" });
  const { image, digest } = await freshImage();
  await attach(image, signedBy(digest, trusted));
  const none = { awsAccessKeyId: "", awsSecretAccessKey: "" };
  const step = await verify(`127.0.0.1:5001/app/web@${digest}`, none);
  assertSucceeded(step);
  assert.equal(step.outputs.sensorVersion, "7.39.0-7802");
});

test("More records than are looked at are a warning", needsLab, async () => {
  const { image, digest } = await freshImage();
  for (let number = 0; number < 55; number += 1)
    await attach(image, signedBy(digest, other), { annotations: { number: `${number}` } });
  const step = await verify(image);
  assertFailed(step, "FALCON_RECORD_NOT_SIGNED");
  assert.match(warned(step, "FALCON_RECORD_LIMIT"), /^5 more artifacts/);
});

/** A file for cosign, which it may write too. */
function file(name, content = "") {
  const path = join(process.env.LAB_TMP, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

for (const [place, setting] of [
  ["the referrers API", true],
  ["the fall-back tag", "tag"],
]) {
  test(`Records that cosign wrote are read by ${place}`, needsLab, async () => {
    await front("PUT", "/settings", { referrers: setting });
    const { publicKey } = await kmsKey({ alias: "alias/cosign" });
    const options = ["--key=awskms:///alias/cosign", "--use-signing-config=false", "--tlog-upload=false"];
    const { image, digest } = await freshImage();
    const attest = (predicate) =>
      cosign([
        "attest",
        ...options,
        "--type=slsaprovenance1",
        `--predicate=${file("predicate.json", predicate)}`,
        image,
      ]);
    // Other statements of the same key are not ours.
    cosign(["sign", ...options, image]);
    attest({ buildDefinition: { buildType: "https://example.com/v1" } });
    assertIgnored(await verify(image, { trustedKeys: publicKey }), undefined);
    // `cosign attest` writes the form of statements before ours.
    attest(statement(digest).predicate);
    assertIgnored(await verify(image, { trustedKeys: publicKey }), /`_type`/);
    const written = file("bundle.json");
    const given = file("statement.json", statement(digest));
    cosign(["attest-blob", ...options, `--statement=${given}`, `--bundle=${written}`, "--yes"]);
    const content = readFileSync(written, "utf8");
    assert.deepEqual(payload(content), statement(digest));
    await attach(image, content);
    const step = await verify(image, { trustedKeys: publicKey, minimumSensorVersion: "7.39" });
    assertOrderly(step);
    assert.deepEqual(step.errors, [], story(step));
    assert.equal(step.outputs.sensorVersion, "7.39.0-7802");
  });
}

test("A record goes along with a copy of its image", needsLab, async () => {
  const { image, digest } = await freshImage();
  await attach(image, signedBy(digest, trusted));
  const copy = `${registry}/app/other:copied-with-record`;
  oras("copy", "--recursive", image, copy);
  assertSucceeded(await verify(copy));
});

const exported = (type, options) => pem(generateKeyPairSync(type, options));
const malformed = [
  ["A key on P-384", () => exported("ec", { namedCurve: "P-384" }), /P-384/],
  ["A key on secp256k1", () => exported("ec", { namedCurve: "secp256k1" }), /secp256k1/],
  ["An RSA key", () => exported("rsa", { modulusLength: 2048 }), /RSA/],
  ["An Ed25519 key", () => exported("ed25519"), /Ed25519/],
  ["A private key", () => pkcs8(pair()), /private key/],
  ["A broken PEM", () => pem(trusted).replace(/[A-Za-z0-9+/]{20}/, "!"), /PEM/],
  ["A name of nothing", () => "falcon-records", /not the name of a KMS key/],
  ["An endpoint", () => "awskms://localhost:4566/alias/x", /endpoint/],
  ["Another service's ARN", () => "arn:aws:s3:eu-west-1:123456789012:alias/x", /not the name of a KMS key/],
];

for (const [name, make, reason] of malformed) {
  test(`${name} is malformed as a trusted key`, async () => {
    const trustedKeys = make();
    const step = await verify(`${registry}/app/web:1`, { trustedKeys });
    const text = `${assertFailed(step, "INPUT_MALFORMED")}\n${story(step)}`;
    assert.match(text, reason);
    assert.match(text, /`trustedKeys`/);
    // A private key that was given by mistake does not get into the log.
    if (trustedKeys.includes("PRIVATE"))
      for (const line of trustedKeys.split("\n").slice(1, 3)) assert.ok(!story(step).includes(line));
  });
}
