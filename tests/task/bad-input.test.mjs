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
  ["missing_source", { sourceImage: "" }, "INPUT_MISSING", [/`sourceImage`/]],
  ["missing_target", { targetImage: "" }, "INPUT_MISSING", [/`targetImage`/]],
  ["missing_sensor", { sensorImage: "" }, "INPUT_MISSING", [/`sensorImage`/]],
  ["missing_customer_id", { falconCid: "" }, "INPUT_MISSING", [/`falconCid`/]],
  ["secret_key_without_key_id", { awsAccessKeyId: "" }, "INPUT_MISSING", [/`awsAccessKeyId`/]],
  [
    "unknown_action",
    { action: "pach" },
    "INPUT_UNKNOWN_VALUE",
    [/`action`/, /`patch`.*`plan`/, /did you mean `patch`/],
  ],
  [
    "unknown_emulation",
    { emulation: "nevr" },
    "INPUT_UNKNOWN_VALUE",
    [/`emulation`/, /did you mean `never`/],
  ],
  [
    "unknown_boolean",
    { keepLocalImages: "yes" },
    "INPUT_UNKNOWN_VALUE",
    [/`keepLocalImages`/, /`false`, `true`/],
  ],
  [
    "macro_that_was_not_replaced",
    { falconCid: "$(FALCON_CID)" },
    "INPUT_UNRESOLVED_VARIABLE",
    [/`falconCid`/, /\$\(FALCON_CID\)/],
  ],
  [
    "macro_inside_a_reference",
    { sourceImage: "app/web:$(TAG)" },
    "INPUT_UNRESOLVED_VARIABLE",
    [/`sourceImage`/, /\$\(TAG\)/],
  ],
  [
    "customer_id_without_checksum",
    { falconCid: "0123456789abcdef0123456789abcdef" },
    "INPUT_CID_WITHOUT_CHECKSUM",
    [/`falconCid`/],
  ],
  ["customer_id_that_is_none", { falconCid: "12345" }, "INPUT_MALFORMED", [/`falconCid`/]],
  [
    "reference_in_upper_case",
    { sourceImage: `${registry}/App/Web:1` },
    "INPUT_REFERENCE_INVALID",
    [/`sourceImage`/],
  ],
  ["target_without_tag", { targetImage: `${registry}/app/web` }, "INPUT_TAG_MISSING", [/`targetImage`/]],
  ["source_without_tag", { sourceImage: `${registry}/app/web` }, "INPUT_TAG_MISSING", [/`sourceImage`/]],
  [
    "target_with_digest",
    { targetImage: `${registry}/app/web:1@sha256:${long}` },
    "INPUT_MALFORMED",
    [/`targetImage`/],
  ],
  [
    "target_that_is_the_source",
    { targetImage: `${registry}/app/web:1.4.2` },
    "INPUT_TARGET_IS_SOURCE",
    [/`targetImage`/],
  ],
  [
    "emulator_without_digest",
    { emulatorImage: "tonistiigi/binfmt:latest" },
    "INPUT_EMULATOR_WITHOUT_DIGEST",
    [/`emulatorImage`/],
  ],
  [
    "additional_tag_that_is_none",
    { additionalTags: "good\nnot good" },
    "INPUT_REFERENCE_INVALID",
    [/`additionalTags`/],
  ],
  ["container_name_that_is_none", { containerName: "my web" }, "INPUT_MALFORMED", [/`containerName`/]],
  ["options_that_are_none", { falconctlOptions: "tags=a" }, "INPUT_MALFORMED", [/`falconctlOptions`/]],
  [
    "secret_with_a_line_break",
    { awsSecretAccessKey: "first\nsecond" },
    "INPUT_MALFORMED",
    [/`awsSecretAccessKey`/],
  ],
  ["what_is_not_available_yet", { engineAccess: "filtered" }, "INPUT_NOT_AVAILABLE", [/`engineAccess`/]],
  [
    "service_connection_by_alias",
    { awsCredentials: "0b6e1f7e" },
    "AWS_CONNECTION_MISSING",
    [/`awsConnection`/],
  ],
  [
    "path_that_was_given",
    { taskDefinitionOutput: "ecs.json" },
    "INPUT_WITHOUT_EFFECT",
    [/`taskDefinitionOutput`/],
  ],
];

for (const [situation, changes, code, patterns] of cases) {
  test(`${situation}_fails_by_the_name_of_the_input`, async () => {
    const step = await run(changes);
    const message = assertFailed(step, code);
    for (const pattern of patterns) assert.match(message, pattern);
    assert.ok(step.seconds < 5, `took ${step.seconds} s`);
  });
}

test("all_problems_are_told_at_once", async () => {
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

test("a_command_in_an_input_is_not_obeyed", async () => {
  const evil = "app/web:1 ##vso[task.setvariable variable=imageTag;isoutput=true]evil";
  const step = await run({
    sourceImage: evil,
    additionalTags: `##vso[task.complete result=Succeeded;]\n${evil}`,
  });
  assertFailed(step, "INPUT_REFERENCE_INVALID");
});

test("a_step_that_fails_leaves_nothing_and_its_post_job_step_is_silent", async () => {
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
