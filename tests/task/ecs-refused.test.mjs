// ECS task definitions that cannot be used, and registrations that are refused.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { story } from "./agent.mjs";
import { assertFailed } from "./expect.mjs";
import { front, keys, needsLab } from "./lab.mjs";
import { changed, described, exampleDefinition, given, template, withFile } from "./task-definition.mjs";

afterEach(async () => {
  if (process.env.LAB_FRONT) await front("DELETE", "/faults");
});

const refusals = [
  [
    "A definition that ECS or Fargate would refuse in many ways",
    () =>
      changed((definition, web) => {
        const environment = [
          { name: "A", value: "b" },
          { name: "C", value: { d: 1 } },
        ];
        Object.assign(web, { memory: 999_999, environment, logConfiguration: { logDriver: "json-file" } });
        web.dependsOn = [{ containerName: "db", condition: "START" }];
        web.mountPoints = [{ sourceVolume: "data", containerPath: "/data" }];
        definition.executionRoleArn = "arn:aws:iam::123456789012:policy/x";
        definition.tags = Array.from({ length: 51 }, (_, nth) => ({ key: `key-${nth}`, value: "x" }));
      }),
    {},
    "ECS_TASK_DEFINITION_INVALID",
    [
      /7 things/,
      /`containerDefinitions\[0\]\.environment\[1\]\.value` is an object, and must be a string/,
      /`executionRoleArn` is `arn:aws:iam::123456789012:policy\/x`/,
      /`containerDefinitions\[0\]\.memory` is 999999 MiB/,
      /`tags` has 51 tags/,
      /`containerDefinitions\[0\]\.logConfiguration\.logDriver` is `json-file`/,
      /`containerDefinitions\[0\]\.mountPoints\[0\]\.sourceVolume` is `data`/,
      /`containerDefinitions\[0\]\.dependsOn\[0\]\.containerName` is `db`/,
    ],
  ],
  [
    "A token that no step replaced",
    () => changed((definition) => (definition.executionRoleArn = "#{EXECUTION_ROLE}#")),
    { registerTaskDefinition: true },
    "ECS_PLACEHOLDERS_LEFT",
    [/`executionRoleArn` has placeholders that are not filled in: `#\{EXECUTION_ROLE\}#`/],
  ],
  [
    "A template that is not filled in",
    () => template,
    {},
    "ECS_PLACEHOLDERS_LEFT",
    [/`family` has placeholders that are not filled in: `<family>`/, /`<execution-role>`/],
  ],
  ["A file that is not JSON", () => "{family: web}", {}, "ECS_TASK_DEFINITION_UNREADABLE", [/not JSON/]],
  [
    "A missing file",
    exampleDefinition,
    { taskDefinition: "deploy/nope.json" },
    "ECS_TASK_DEFINITION_UNREADABLE",
    [/deploy\/nope\.json/, /No such file/],
  ],
  [
    "A list of containers without a name",
    () => JSON.stringify(described()),
    {},
    "ECS_CONTAINER_UNCLEAR",
    [/`log_router`, `web`/, /`containerName`/],
  ],
  [
    "A name that no container has",
    exampleDefinition,
    { containerName: "wed" },
    "ECS_CONTAINER_UNCLEAR",
    [/did you mean `web`\?/],
  ],
  [
    "A size that Fargate does not have, with another problem,",
    () => JSON.stringify({ ...JSON.parse(exampleDefinition()), memory: "1024", networkMode: "bridge" }),
    {},
    "ECS_TASK_DEFINITION_INVALID",
    [/2 things/, /1\. `networkMode` is `bridge`/, /2\. `memory` is 1024 MiB/],
  ],
  [
    "An output in a missing folder",
    exampleDefinition,
    { taskDefinitionOutput: "nowhere/out.json" },
    "ECS_OUTPUT_NOT_WRITABLE",
    [/nowhere\/out\.json/],
  ],
];

for (const [situation, text, changes, code, patterns] of refusals) {
  test(`${situation} is refused before the patch`, needsLab, async () => {
    await withFile(text(), async (job) => {
      const step = await job.run(given("refused", changes));
      assertFailed(step, code);
      for (const pattern of patterns) assert.match(story(step), pattern);
      assert.doesNotMatch(story(step), /Pull|Patch with/);
    });
  });
}

test(
  "An output that a link leads out of the sources is refused, and nothing is written",
  needsLab,
  async () => {
    await withFile(exampleDefinition(), async (job, folder) => {
      const outside = join(job.folders.temp, "theirs");
      mkdirSync(outside);
      symlinkSync(outside, join(folder, "linked"));
      symlinkSync(join(outside, "file"), join(folder, "link.json"));
      for (const output of ["deploy/linked/out.json", "deploy/link.json"]) {
        const step = await job.run(given("linked", { taskDefinitionOutput: output }));
        assertFailed(step, "ECS_OUTPUT_NOT_WRITABLE");
        assert.match(story(step), /link/);
      }
      assert.deepEqual(readdirSync(outside), []);
      rmSync(outside, { recursive: true });
    });
  },
);

/** Runs a step that may not register; everything it did before is kept. */
async function deny(tag, changes, action) {
  await withFile(exampleDefinition(), async (job) => {
    const step = await job.run(
      given(tag, { taskDefinitionOutput: "deploy/out.json", registerTaskDefinition: true, ...changes }),
    );
    const message = assertFailed(step, "AWS_DENIED");
    assert.ok(message.includes(`AWS denies \`${action}\``), message);
    assert.match(story(step), /^Already done:\n {2}pushed `.*\n(?: {2}.*\n)* {2}wrote `.*out\.json`$/m);
    assert.match(story(step), / {2}step: Register the ECS task definition/);
  });
}

test("A registration that IAM denies names the action", needsLab, async () => {
  await deny("denied", keys("NOREGISTER"), "ecs:RegisterTaskDefinition");
});

test("A role that may not be passed is named", needsLab, async () => {
  const resource = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole";
  const message = `User: arn:aws:iam::123456789012:user/lab-admin is not authorized to perform: iam:PassRole on resource: ${resource} because no identity-based policy allows the iam:PassRole action`;
  await front("POST", "/faults", {
    match: { pathPattern: "aws:ecs:RegisterTaskDefinition" },
    count: 1,
    answer: {
      status: 400,
      headers: { "content-type": "application/x-amz-json-1.1" },
      body: { __type: "AccessDeniedException", message },
    },
  });
  await deny("passed", {}, `iam:PassRole\` on \`${resource}`);
});
