// From the patched image to the ECS task definition that names it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Aws } from "../lab/front/aws.mjs";
import { story } from "./agent.mjs";
import { assertFailed, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { config, front, inputs, keys, needsLab, registry } from "./lab.mjs";

const template = readFileSync(
  fileURLToPath(new URL("../../examples/ecs-task-definition.json", import.meta.url)),
  "utf8",
);
const names = {
  "aws-account": "123456789012",
  "container-name": "web",
  "execution-role": "ecsTaskExecutionRole",
  family: "web-service",
  "log-group": "web",
  region: "eu-west-1",
};
const falconEntrypoint = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";

/** The example with its names filled in; the image is the task's to fill in. */
const filledIn = () => template.replaceAll(/<([a-z-]+)>/g, (left, name) => names[name] ?? left);

/** A job with a file in its sources. The file is removed before the end, because the task leaves sources alone. */
function withFile(text, use) {
  return inJob(async (job) => {
    const folder = join(job.folders.sources, "deploy");
    mkdirSync(folder);
    writeFileSync(join(folder, "ecs.json"), text);
    try {
      await use(job, folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

const given = (tag, changes = {}) =>
  inputs({ targetImage: `${registry}/app/target:${tag}`, taskDefinition: "deploy/ecs.json", ...changes });

/** A signed call to ECS in the administrator's name. */
async function ecs(action, parameters) {
  const { awsAccessKeyId: id, awsSecretAccessKey: secret } = keys("ADMIN");
  const endpoint = process.env.AWS_ENDPOINT_URL;
  const body = JSON.stringify(parameters);
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      ...new Aws(endpoint, { id, secret }).signature("ecs", "eu-west-1", body),
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AmazonEC2ContainerServiceV20141113.${action}`,
    },
    body,
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** Fails unless the AWS CLI would send a file, by its own model of ECS. */
const validate = (path) => execFileSync("ecs-model", [path], { encoding: "utf8", stdio: "pipe" });

const registrations = async () =>
  (await front("GET", "/requests")).filter(({ path }) => path === "aws:ecs:RegisterTaskDefinition").length;

afterEach(async () => {
  if (process.env.LAB_FRONT) await front("DELETE", "/faults");
});

test("The example is written with the image, registered and read back", needsLab, async () => {
  await withFile(filledIn(), async (job, folder) => {
    validate(join(folder, "ecs.json"));
    const asked = { taskDefinitionOutput: "deploy/out.json", registerTaskDefinition: true };
    const step = await job.run(given("ecs", { ...asked, skipUnchanged: true }));
    assertSucceeded(step);
    const { taskDefinitionPath, taskDefinitionArn, imageReference } = step.outputs;
    assert.equal(taskDefinitionPath, join(folder, "out.json"));
    validate(taskDefinitionPath);
    const expected = filledIn().replace("<patched-image>", imageReference);
    assert.deepEqual(JSON.parse(readFileSync(taskDefinitionPath, "utf8")), JSON.parse(expected));
    assert.match(taskDefinitionArn, /^arn:aws:ecs:eu-west-1:123456789012:task-definition\/web-service:\d+$/);
    const { taskDefinition } = await ecs("DescribeTaskDefinition", { taskDefinition: taskDefinitionArn });
    const [container] = taskDefinition.containerDefinitions;
    assert.equal(container.image, imageReference);
    assert.deepEqual(container.linuxParameters.capabilities.add, ["SYS_PTRACE"]);
    assert.equal(taskDefinition.runtimePlatform.cpuArchitecture, "ARM64");
    assert.ok(config(imageReference).config.Env.includes("CS_CONTAINER=web"), "the definition's name");
    const text = story(step);
    assert.match(text, /^ECS task definition: family web-service, the image goes into the container web$/m);
    assert.ok(text.includes(`  wrote \`${taskDefinitionPath}\``), text);
    assert.ok(text.includes(`  registered \`${taskDefinitionArn}\``), text);
    await assertHandedOverAgain(job, step.outputs);
  });
});

/** Patches again: the image is kept, but the definition is written and registered as another revision. */
async function assertHandedOverAgain(job, before) {
  rmSync(before.taskDefinitionPath);
  const step = await job.run(job.inputs);
  assertSucceeded(step);
  assert.equal(step.outputs.changed, "false", story(step));
  assert.doesNotMatch(story(step), /Pull|Patch with/);
  validate(step.outputs.taskDefinitionPath);
  const number = (arn) => Number(arn.split(":").at(-1));
  assert.equal(number(step.outputs.taskDefinitionArn), number(before.taskDefinitionArn) + 1);
  const { taskDefinition } = await ecs("DescribeTaskDefinition", {
    taskDefinition: step.outputs.taskDefinitionArn,
  });
  assert.equal(taskDefinition.containerDefinitions[0].image, before.imageReference);
}

/** A service as it runs on x86-64 so far, as `describe-task-definition` prints it. */
function described() {
  const { containerDefinitions, ...rest } = JSON.parse(filledIn());
  const [web] = containerDefinitions;
  const router = { name: "log_router", image: "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable" };
  return {
    taskDefinition: {
      taskDefinitionArn: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web-service:7",
      ...rest,
      runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
      containerDefinitions: [
        router,
        { ...web, linuxParameters: {}, entryPoint: ["/start"], readonlyRootFilesystem: true },
      ],
      revision: 7,
      status: "ACTIVE",
      requiresAttributes: [{ name: "ecs.capability.task-eni" }],
      compatibilities: ["EC2", "FARGATE"],
      registeredAt: 1_700_000_000.5,
      registeredBy: "arn:aws:iam::123456789012:user/ci",
    },
    tags: [{ key: "team", value: "a" }],
  };
}

test(
  "The output of describe-task-definition is corrected, and every change is logged",
  needsLab,
  async () => {
    let path;
    await withFile(JSON.stringify(described()), async (job, folder) => {
      assert.throws(() => validate(join(folder, "ecs.json")), /Unknown parameter in input: "taskDefinition"/);
      const step = await job.run(given("described", { containerName: "web" }));
      path = step.outputs.taskDefinitionPath;
      assert.equal(step.result, "Succeeded", story(step));
      assert.deepEqual(
        step.warnings.map(({ code }) => code),
        ["ECS_SENSOR_AT_RISK"],
      );
      assert.equal(step.outputs.taskDefinitionArn, "");
      assert.equal(dirname(dirname(path)), job.folders.temp);
      validate(path);
      const written = JSON.parse(readFileSync(path, "utf8"));
      const { containerDefinitions, requiresCompatibilities, ...rest } = JSON.parse(filledIn());
      const { containerDefinitions: containers, ...others } = written;
      assert.deepEqual(others, { ...rest, requiresCompatibilities, tags: [{ key: "team", value: "a" }] });
      assert.deepEqual(containers[0], described().taskDefinition.containerDefinitions[0]);
      assert.deepEqual(containers[1], {
        ...containerDefinitions[0],
        image: step.outputs.imageReference,
        entryPoint: [falconEntrypoint, "/start"],
        readonlyRootFilesystem: true,
      });
      for (const change of [
        /^ {2}drops what only ECS writes: `taskDefinitionArn`, `revision`, /m,
        /^ {2}sets `runtimePlatform.cpuArchitecture` to `ARM64`; it was "X86_64"$/m,
        /^ {2}adds `SYS_PTRACE` to `containerDefinitions\[1\]\.linuxParameters\.capabilities\.add`$/m,
        /^ {2}puts `.*falcon-entrypoint` in front of `containerDefinitions\[1\]\.entryPoint`/m,
      ]) {
        assert.match(story(step), change);
      }
    });
    assert.ok(!existsSync(path), "a file of the temporary folder is removed with the job");
  },
);

test("A plan checks the file and writes nothing", needsLab, async () => {
  await withFile(filledIn(), async (job, folder) => {
    const before = await registrations();
    const asked = { taskDefinitionOutput: "deploy/out.json", registerTaskDefinition: true };
    const step = await job.run(given("planned", { action: "plan", ...asked }));
    assertSucceeded(step);
    assert.match(
      story(step),
      /Read the pushed image back\n.*\n.*Add the tag planned\n.*Write the ECS task definition\n.*Register the ECS task definition\n/,
    );
    assert.equal(step.outputs.taskDefinitionPath, "");
    assert.ok(!existsSync(join(folder, "out.json")));
    assert.equal(await registrations(), before);
  });
});

const filled = () => JSON.parse(filledIn());

/** The example after a change of the whole and of its container, as JSON. */
function changed(change) {
  const definition = filled();
  change(definition, definition.containerDefinitions[0]);
  return JSON.stringify(definition);
}

/** A file as `>` of Windows PowerShell 5 writes it. */
const utf16 = (text) => Buffer.from(`\ufeff${text}`, "utf16le");

test("A file with wrong types, in UTF-16, becomes one that ECS takes", needsLab, async () => {
  const text = changed((definition, web) => {
    Object.assign(definition, { cpu: 32768, memory: "244 GB", tags: [], taskRoleArn: "" });
    Object.assign(web, {
      environment: [{ name: "PORT", value: 8080 }],
      portMappings: [{ containerPort: "8080" }],
      memory: "2048",
      essential: "true",
      entryPoint: ["/tini", "--", falconEntrypoint, "/start"],
      command: ["sh", "-c", "serve #{PORT}#"],
    });
  });
  await withFile(utf16(text), async (job) => {
    const step = await job.run(given("corrected", { registerTaskDefinition: true }));
    assert.notEqual(step.result, "Failed", story(step));
    assert.deepEqual(
      step.warnings.map(({ code }) => code),
      ["ECS_PLACEHOLDERS_KEPT"],
    );
    validate(step.outputs.taskDefinitionPath);
    const written = JSON.parse(readFileSync(step.outputs.taskDefinitionPath, "utf8"));
    assert.deepEqual([written.cpu, written.memory], ["32768", "244 GB"]);
    assert.ok(!("tags" in written) && !("taskRoleArn" in written));
    const [web] = written.containerDefinitions;
    assert.deepEqual(web.environment, [{ name: "PORT", value: "8080" }]);
    assert.deepEqual(web.portMappings, [{ containerPort: 8080 }]);
    assert.deepEqual([web.memory, web.essential], [2048, true]);
    assert.deepEqual(web.entryPoint, [falconEntrypoint, "/tini", "--", "/start"]);
    for (const change of [
      "reads the file as UTF-16, and writes UTF-8",
      "drops `tags`, which is empty",
      "writes `containerDefinitions[0].environment[0].value` as a string",
      "writes `containerDefinitions[0].portMappings[0].containerPort` as a whole number",
    ])
      assert.ok(story(step).includes(`  ${change}\n`), `${change}: ${story(step)}`);
  });
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
    filledIn,
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
    filledIn,
    { containerName: "wed" },
    "ECS_CONTAINER_UNCLEAR",
    [/did you mean `web`\?/],
  ],
  [
    "A size that Fargate does not have, with another problem,",
    () => JSON.stringify({ ...filled(), memory: "1024", networkMode: "bridge" }),
    {},
    "ECS_TASK_DEFINITION_INVALID",
    [/2 things/, /1\. `networkMode` is `bridge`/, /2\. `memory` is 1024 MiB/],
  ],
  [
    "An output in a missing folder",
    filledIn,
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
    await withFile(filledIn(), async (job, folder) => {
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
  await withFile(filledIn(), async (job) => {
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
