// The sensor from CrowdStrike: the choice of a version, the mirror, and refusals.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { asked, falcon, given, run, tags, unified } from "./crowdstrike.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { config, customerId, front, manifest, needsLab, registry, sensorTag } from "./lab.mjs";

test("The newest sensor and the customer ID come from CrowdStrike", needsLab, async () => {
  const targetImage = `${registry}/app/target:crowdstrike`;
  const step = await run({ targetImage });
  assertSucceeded(step);
  assert.equal(step.outputs.sensorVersion, sensorTag);
  assert.equal(step.variables.FALCON_ECR_IMAGE, `${falcon.repository}:${sensorTag}`);
  const options = config(targetImage).config.Env.find((line) => line.startsWith("FALCONCTL_OPTS="));
  assert.equal(options, `FALCONCTL_OPTS=--cid=${customerId}`);
  assert.equal(asked("/oauth2/token").length, 1, "one sign-in for a run");
  const token = asked("/v2/token").find(({ query }) => query.includes(encodeURIComponent(unified)));
  assert.ok(token, "a token for the repository");
});

const versions = [
  ["latest", sensorTag],
  ["n-1", "7.38.0-7700"],
  ["n-2", undefined],
  ["7.38", "7.38.0-7700"],
  ["7.38.0-7690", "7.38.0-7690"],
  ["7.31", "7.31.0-7003"],
];

for (const [sensorVersion, expected] of versions) {
  test(`Sensor version ${sensorVersion} is found`, needsLab, async () => {
    const step = await run({ action: "plan", sensorVersion });
    if (expected === undefined) {
      const message = assertFailed(step, "FALCON_SENSOR_PLATFORM_MISSING");
      assert.match(message, /7\.37\.0-7600/);
      return;
    }
    assertSucceeded(step);
    assert.equal(step.outputs.sensorVersion, expected);
  });
}

test("Releases are counted across the major versions 7 and 8", needsLab, async () => {
  const newer = { "8.11.0-8103": sensorTag, "8.10.0-8050": sensorTag, "8.11.0-8099": sensorTag };
  Object.assign(tags[unified], newer);
  try {
    for (const [sensorVersion, expected] of [
      ["latest", "8.11.0-8103"],
      ["n-1", "8.10.0-8050"],
      ["n-2", sensorTag],
      ["8", "8.11.0-8103"],
      ["7", sensorTag],
    ]) {
      const step = await run({ action: "plan", sensorVersion });
      assertSucceeded(step);
      assert.equal(step.outputs.sensorVersion, expected, sensorVersion);
    }
  } finally {
    for (const tag of Object.keys(newer)) delete tags[unified][tag];
  }
});

test("A mirror is filled once and is then sufficient", needsLab, async () => {
  const mirror = `${registry}/mirror/falcon-sensor`;
  const mirrored = { sensorMirror: "mirror/falcon-sensor", sensorVersion: sensorTag, awsRegion: "eu-west-1" };
  const plan = await run({ ...mirrored, action: "plan" });
  assertSucceeded(plan);
  assert.match(story(plan), /Copy the sensor .* to .*mirror\/falcon-sensor/);
  assert.throws(() => manifest(`${mirror}:${sensorTag}`), "a plan copies nothing");

  await front("DELETE", "/requests");
  const first = await run({ ...mirrored, targetImage: `${registry}/app/target:mirrored` });
  assertSucceeded(first);
  assert.match(story(first), /copied the sensor to `.*mirror\/falcon-sensor:7\.39\.0-7802`/);
  assert.deepEqual(manifest(`${mirror}:${sensorTag}`), manifest(`${registry}/containersensor:${sensorTag}`));
  assert.equal(first.variables.FALCON_ECR_IMAGE, `${mirror}:${sensorTag}`);
  const requests = await front("GET", "/requests");
  const uploads = requests.filter(({ path }) => path.includes("/mirror/falcon-sensor/blobs/uploads/"));
  const posts = uploads.filter(({ method }) => method === "POST");
  const puts = uploads.filter(({ method }) => method === "PUT");
  assert.ok(posts.length > 0);
  assert.equal(posts.length, puts.length, "one POST and one PUT for each blob");
  assert.ok(uploads.every(({ method }) => method !== "PATCH"));
  assert.equal(new Set(puts.map(({ path }) => path.split("?")[0])).size, puts.length, "a session each");

  falcon.requests.splice(0);
  await front("DELETE", "/requests");
  const second = await run({ ...mirrored, falconCid: customerId, action: "plan" });
  assertSucceeded(second);
  assert.doesNotMatch(story(second), /Copy the sensor/);
  assert.deepEqual(falcon.requests, [], "nothing is asked of CrowdStrike");
});

test("Concurrent runs fill one mirror without a conflict", needsLab, async () => {
  await front("PUT", "/repositories/mirror/shared", { immutable: true });
  const steps = await Promise.all(
    [1, 2].map((nth) => {
      const job = new Job({ env: { HOME: tmpdir() } });
      const changes = {
        sensorMirror: `${registry}/mirror/shared`,
        targetImage: `${registry}/app/target:both-${nth}`,
      };
      return job.run(given(changes)).then(async (step) => {
        await job.post();
        job.end();
        return step;
      });
    }),
  );
  for (const step of steps) assertSucceeded(step);
  assert.deepEqual(
    manifest(`${registry}/mirror/shared:${sensorTag}`),
    manifest(`${registry}/containersensor:${sensorTag}`),
  );
});

test("An upload that breaks off is repeated in a new session", needsLab, async () => {
  const pathPattern = "/mirror/other/blobs/uploads/.*digest=";
  await front("POST", "/faults", { match: { method: "PUT", pathPattern }, count: 1, cutRequestAfter: 10 });
  try {
    const step = await run({
      sensorMirror: `${registry}/mirror/other`,
      targetImage: `${registry}/app/target:cut`,
    });
    assertSucceeded(step);
  } finally {
    await front("DELETE", "/faults");
  }
});

test("A mirror with another image under the tag is not changed", needsLab, async () => {
  const changes = { sensorMirror: `${registry}/containersensor`, action: "plan" };
  const step = await run(changes);
  assertSucceeded(step);
  assert.doesNotMatch(story(step), /Copy the sensor/);
  const original = tags[unified][sensorTag];
  tags[unified][sensorTag] = `${sensorTag}-slow`;
  try {
    assertFailed(await run(changes), "FALCON_MIRROR_CONFLICT");
  } finally {
    tags[unified][sensorTag] = original;
  }
});

const refusals = [
  [
    "A wrong client",
    { falconClientSecret: "wr0ng-c1ient-s3cret" },
    {},
    "FALCON_CLIENT_REFUSED",
    [/never|not tried again/],
  ],
  ["A locked client", {}, { locked: "account locked out" }, "FALCON_LOCKED_OUT", [/Wait/]],
  ["Another cloud", {}, { region: "eu-1" }, "FALCON_REGION_MISMATCH", [/falconRegion: eu-1/]],
  [
    "A missing scope for sensors",
    {},
    { denied: ["/sensors/queries/installers/ccid/v1"] },
    "FALCON_SCOPE_MISSING",
    [/Sensor Download: Read/],
  ],
  [
    "A missing scope for images",
    {},
    { denied: ["/container-security/entities/image-registry-credentials/v1"] },
    "FALCON_SCOPE_MISSING",
    [/Falcon Images Download: Read/],
  ],
  ["An unknown version", { sensorVersion: "7.36" }, {}, "FALCON_SENSOR_VERSION_NOT_FOUND", [/7\.38\.0-7700/]],
  [
    "A refused password of the registry",
    {},
    { registryRefuses: "authentication required" },
    "FALCON_REGISTRY_REFUSED",
    [/not tried again/],
  ],
  ["A locked registry", {}, { registryRefuses: "too many failed logins" }, "FALCON_LOCKED_OUT", [/Wait/]],
];

for (const [situation, changes, settings, code, patterns] of refusals) {
  test(`${situation} is reported and not tried again`, needsLab, async () => {
    Object.assign(falcon.settings, settings);
    const step = await run({ ...changes, action: "plan" });
    const text = `${assertFailed(step, code)}\n${story(step)}`;
    for (const pattern of patterns) assert.match(text, pattern);
    assert.equal(asked("/oauth2/token").length, 1, "one sign-in");
    // One for each repository that was looked into.
    const most = { FALCON_SENSOR_VERSION_NOT_FOUND: 2, FALCON_REGISTRY_REFUSED: 1, FALCON_LOCKED_OUT: 1 };
    assert.ok(asked("/v2/token").length <= (most[code] ?? 0), JSON.stringify(falcon.requests));
  });
}

test("A customer ID of another tenant is a warning", needsLab, async () => {
  const other = "fedcba9876543210fedcba9876543210-34";
  const step = await run({ falconCid: other, action: "plan" });
  assert.equal(step.result, "Succeeded", story(step));
  assert.deepEqual(
    step.warnings.map(({ code }) => code),
    ["FALCON_CUSTOMER_ID_DIFFERS"],
  );
  assertNoLeak(step, [other]);
});
