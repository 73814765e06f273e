// From the patched image to the ECS task definition that names it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Aws } from "../lab/front/aws.mjs";
import { story } from "./agent.mjs";
import { assertSucceeded } from "./expect.mjs";
import { config, front, keys, needsLab } from "./lab.mjs";
import { changed, described, exampleDefinition, given, withFile } from "./task-definition.mjs";

const falconEntrypoint = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";

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

test("The example is written with the image, registered and read back", needsLab, async () => {
  await withFile(exampleDefinition(), async (job, folder) => {
    validate(join(folder, "ecs.json"));
    const asked = { taskDefinitionOutput: "deploy/out.json", registerTaskDefinition: true };
    const step = await job.run(given("ecs", { ...asked, skipUnchanged: true }));
    assertSucceeded(step);
    const { taskDefinitionPath, taskDefinitionArn, imageReference } = step.outputs;
    assert.equal(taskDefinitionPath, join(folder, "out.json"));
    validate(taskDefinitionPath);
    const expected = exampleDefinition().replace("<patched-image>", imageReference);
    assert.deepEqual(JSON.parse(readFileSync(taskDefinitionPath, "utf8")), JSON.parse(expected));
    assert.match(taskDefinitionArn, /^arn:aws:ecs:eu-west-1:123456789012:task-definition\/web-service:\d+$/);
    const { taskDefinition } = await ecs("DescribeTaskDefinition", { taskDefinition: taskDefinitionArn });
    const [container] = taskDefinition.containerDefinitions;
    assert.equal(container.image, imageReference);
    assert.deepEqual(container.linuxParameters.capabilities.add, ["SYS_PTRACE"]);
    assert.equal(taskDefinition.runtimePlatform.cpuArchitecture, "ARM64");
    assert.ok(config(imageReference).config.Env.includes("CS_CONTAINER=web"), "the definition's name");
    const text = story(step);
    assert.match(
      text,
      /^ {2}ECS task definition: family web-service, the image goes into the container web$/m,
    );
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
      const { containerDefinitions, requiresCompatibilities, ...rest } = JSON.parse(exampleDefinition());
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
        /^ {4}drops what only ECS writes: `taskDefinitionArn`, `revision`, /m,
        /^ {4}sets `runtimePlatform.cpuArchitecture` to `ARM64`; it was "X86_64"$/m,
        /^ {4}adds `SYS_PTRACE` to `containerDefinitions\[1\]\.linuxParameters\.capabilities\.add`$/m,
        /^ {4}puts `.*falcon-entrypoint` in front of `containerDefinitions\[1\]\.entryPoint`/m,
      ]) {
        assert.match(story(step), change);
      }
    });
    assert.ok(!existsSync(path), "a file of the temporary folder is removed with the job");
  },
);

test("A plan checks the file and writes nothing", needsLab, async () => {
  await withFile(exampleDefinition(), async (job, folder) => {
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
