// Invalid inputs, reported before any request and any change.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertNoLeak } from "./expect.mjs";
import { inputs, registry } from "./lab.mjs";

/** An address without a server: a step that sends a request fails in another way. */
const nowhere = { DOCKER_HOST: "unix:///nowhere/docker.sock", AWS_ENDPOINT_URL: "http://127.0.0.1:9" };

async function run(changes) {
  const job = new Job({ env: nowhere });
  try {
    const given = inputs(changes);
    const step = await job.run(given);
    assertNoLeak(step, [given.awsSecretAccessKey]);
    return step;
  } finally {
    job.end();
  }
}

const long = "0".repeat(64);
const cases = [
  ["A missing source", { sourceImage: "" }, "INPUT_MISSING", [/`sourceImage`/]],
  ["A missing target", { targetImage: "" }, "INPUT_MISSING", [/`targetImage`/]],
  ["A missing sensor", { sensorImage: "" }, "INPUT_MISSING", [/`sensorImage`/]],
  ["A missing customer ID", { falconCid: "" }, "INPUT_MISSING", [/`falconCid`/]],
  ["A secret key without its key ID", { awsAccessKeyId: "" }, "INPUT_MISSING", [/`awsAccessKeyId`/]],
  [
    "An unknown action",
    { action: "pach" },
    "INPUT_UNKNOWN_VALUE",
    [/`action`/, /`patch`.*`plan`/, /did you mean `patch`/],
  ],
  [
    "An unknown value of emulation",
    { emulation: "nevr" },
    "INPUT_UNKNOWN_VALUE",
    [/`emulation`/, /did you mean `never`/],
  ],
  [
    "An unknown boolean",
    { keepLocalImages: "yes" },
    "INPUT_UNKNOWN_VALUE",
    [/`keepLocalImages`/, /`false`, `true`/],
  ],
  [
    "A macro that was not replaced",
    { falconCid: "$(FALCON_CID)" },
    "INPUT_UNRESOLVED_VARIABLE",
    [/`falconCid`/, /\$\(FALCON_CID\)/],
  ],
  [
    "A macro inside a reference",
    { sourceImage: "app/web:$(TAG)" },
    "INPUT_UNRESOLVED_VARIABLE",
    [/`sourceImage`/, /\$\(TAG\)/],
  ],
  [
    "A customer ID without checksum",
    { falconCid: "0123456789abcdef0123456789abcdef" },
    "INPUT_CID_WITHOUT_CHECKSUM",
    [/`falconCid`/],
  ],
  ["A malformed customer ID", { falconCid: "12345" }, "INPUT_MALFORMED", [/`falconCid`/]],
  [
    "A reference in upper case",
    { sourceImage: `${registry}/App/Web:1` },
    "INPUT_REFERENCE_INVALID",
    [/`sourceImage`/],
  ],
  ["A target without tag", { targetImage: `${registry}/app/web` }, "INPUT_TAG_MISSING", [/`targetImage`/]],
  ["A source without tag", { sourceImage: `${registry}/app/web` }, "INPUT_TAG_MISSING", [/`sourceImage`/]],
  [
    "A target with digest",
    { targetImage: `${registry}/app/web:1@sha256:${long}` },
    "INPUT_MALFORMED",
    [/`targetImage`/],
  ],
  [
    "A target that is the source",
    { targetImage: `${registry}/app/web:1.4.2` },
    "INPUT_TARGET_IS_SOURCE",
    [/`targetImage`/],
  ],
  [
    "An emulator without digest",
    { emulatorImage: "tonistiigi/binfmt:latest" },
    "INPUT_EMULATOR_WITHOUT_DIGEST",
    [/`emulatorImage`/],
  ],
  [
    "A malformed additional tag",
    { additionalTags: "good\nnot good" },
    "INPUT_REFERENCE_INVALID",
    [/`additionalTags`/],
  ],
  ["A malformed container name", { containerName: "my web" }, "INPUT_MALFORMED", [/`containerName`/]],
  ["A malformed option", { falconctlOptions: "tags=a" }, "INPUT_MALFORMED", [/`falconctlOptions`/]],
  [
    "A secret with a line break",
    { awsSecretAccessKey: "f1rst-s3cret\ns3cond-s3cret" },
    "INPUT_MALFORMED",
    [/`awsSecretAccessKey`/],
  ],
  [
    "An unknown access to the engine",
    { engineAccess: "filter" },
    "INPUT_UNKNOWN_VALUE",
    [/`engineAccess`.*`filtered`/],
  ],
  [
    "A service connection by alias",
    { awsCredentials: "0b6e1f7e" },
    "AWS_CONNECTION_MISSING",
    [/`awsConnection`/],
  ],
  [
    "A path without effect",
    { taskDefinitionOutput: "ecs.json" },
    "INPUT_WITHOUT_EFFECT",
    [/`taskDefinitionOutput`/],
  ],
];

for (const [situation, changes, code, patterns] of cases) {
  test(`${situation} fails and names the input`, async () => {
    const step = await run(changes);
    const message = assertFailed(step, code);
    for (const pattern of patterns) assert.match(message, pattern);
    assert.ok(step.seconds < 5, `took ${step.seconds} s`);
  });
}

test("All problems of the inputs are reported together", async () => {
  const step = await run({ sourceImage: "", falconCid: "12345", emulation: "nevr" });
  const message = assertFailed(step, "INPUT_INVALID");
  assert.match(message, /3 inputs/);
  for (const line of [
    /1\. .*`sourceImage`.*\[INPUT_MISSING\]/,
    /2\. .*`falconCid`.*\[INPUT_MALFORMED\]/,
    /3\. .*`emulation`.*\[INPUT_UNKNOWN_VALUE\]/,
  ]) {
    assert.match(story(step), line);
  }
});

test("A logging command in an input is not obeyed", async () => {
  const evil = "app/web:1 ##vso[task.setvariable variable=imageTag;isoutput=true]evil";
  const step = await run({
    sourceImage: evil,
    additionalTags: `##vso[task.complete result=Succeeded;]\n${evil}`,
  });
  assertFailed(step, "INPUT_REFERENCE_INVALID");
});

test("A failed step leaves nothing, and its post-job step is silent", async () => {
  const job = new Job({ env: nowhere });
  try {
    await job.run(inputs({ sourceImage: "" }));
    const post = await job.post();
    assert.deepEqual(post.raw, []);
    assert.equal(post.exitCode, 0);
    assert.deepEqual(job.files(), []);
  } finally {
    job.end();
  }
});

test("A mistyped input is a warning that names the right one", async () => {
  const step = await run({ falconctlOption: "--tags=web", sourceImage: "" });
  assertFailed(step, "INPUT_MISSING");
  const [warning] = step.warnings.filter(({ code }) => code === "INPUT_UNKNOWN");
  assert.match(warning.message, /`FALCONCTLOPTION`.*did you mean `falconctlOptions`\?/);
});

test("Names that resemble no input, and variables of the pipeline, are left alone", async () => {
  const step = await run({ script: "echo", targetType: "inline", sourceImage: "" });
  assert.deepEqual(step.warnings, []);
});

for (const cloudService of ["ecs-fargate", "Fargate"])
  test(`The cloud service ${cloudService} is refused with the name that was meant`, async () => {
    const step = await run({ cloudService });
    const message = assertFailed(step, "INPUT_UNKNOWN_VALUE");
    assert.match(message, /`cloudService`.*did you mean `ECS_FARGATE`\?/);
  });

test("A cloud service that resembles a known one is a warning", async () => {
  const step = await run({ cloudService: "ECS_FARGETE" });
  assert.deepEqual(
    step.warnings.map(({ code }) => code),
    ["INPUT_UNKNOWN_VALUE"],
  );
  assert.match(step.warnings[0].message, /`ECS_FARGETE`; did you mean `ECS_FARGATE`\?/);
});

test("Inputs that only choose the fields of the form change nothing", async () => {
  const told = async (changes) => {
    const step = await run({ targetImage: "", ...changes });
    assertFailed(step, "INPUT_MISSING");
    return story(step);
  };
  const before = await told({});
  for (const chosen of ["connection", "agent", "no such value", "$(NOT_SET)"])
    assert.equal(await told({ awsSignIn: chosen, falconSecrets: chosen }), before, chosen);
});
