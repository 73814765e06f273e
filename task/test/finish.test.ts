import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ending } from "../src/addon.ts";
import { finish, internalFailure, unexpectedFailure } from "../src/finish.ts";
import { deployment, digest, failure, outcome, verified } from "./samples.ts";

function log(ending: Ending, stopped = false): string[] {
  const lines: string[] = [];
  finish(ending, { write: (line) => void lines.push(line), milliseconds: 72_400, stopped });
  return lines;
}

function check(ending: Ending, expected: string[]): void {
  assert.deepEqual(log(ending), expected);
}

const registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const variables = [
  `##vso[task.setvariable variable=imageReference;isoutput=true;]${registry}/app/web@${digest("a")}`,
  `##vso[task.setvariable variable=imageTag;isoutput=true;]${registry}/app/web:1.4.2-falcon`,
  `##vso[task.setvariable variable=imageDigest;isoutput=true;]${digest("a")}`,
  `##vso[task.setvariable variable=sourceDigest;isoutput=true;]${digest("b")}`,
  `##vso[task.setvariable variable=sensorDigest;isoutput=true;]${digest("c")}`,
  "##vso[task.setvariable variable=sensorVersion;isoutput=true;]7.39.0",
  "##vso[task.setvariable variable=changed;isoutput=true;]true",
  "##vso[task.setvariable variable=taskDefinitionPath;isoutput=true;]",
  "##vso[task.setvariable variable=taskDefinitionArn;isoutput=true;]",
  "##vso[task.setvariable variable=deploymentId;isoutput=true;]",
  `##vso[task.setvariable variable=SOURCE_IMAGE_URI;]${registry}/app/web:1.4.2`,
  `##vso[task.setvariable variable=TARGET_IMAGE_URI;]${registry}/app/web:1.4.2-falcon`,
  `##vso[task.setvariable variable=FALCON_ECR_IMAGE;]${registry}/containersensor:7.39.0-7802`,
];
const facts = [
  `  Image           ${registry}/app/web@${digest("a")}`,
  `  Tag             ${registry}/app/web:1.4.2-falcon`,
  `  Source          ${registry}/app/web:1.4.2 (${digest("b")})`,
  `  Sensor          ${registry}/containersensor:7.39.0-7802 (${digest("c")})`,
  "  Sensor version  7.39.0",
  "  Size            45.2 MB → 97.4 MB (+52.2 MB)",
  "  Time            1 min 12 s",
];

test("A patched image ends with its facts and sets all variables", () => {
  const done = `  pushed \`${registry}/app/web:1.4.2-falcon\` (${digest("a")})`;
  check({ type: "done", outcome: outcome() }, [
    "##[section]Patched and pushed",
    ...facts,
    "Changed:",
    done,
    ...variables,
    "##vso[task.complete result=Succeeded;]",
  ]);
});

test("An ECS task definition is logged and set as variables", () => {
  const taskDefinitionPath = "/agent/_work/_temp/web.json";
  const taskDefinitionArn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";
  const lines = log({ type: "done", outcome: outcome({ taskDefinitionPath, taskDefinitionArn }) });
  const row = lines.indexOf(`  Task definition  ${taskDefinitionPath}`);
  assert.equal(lines[row + 1], `  Registered as    ${taskDefinitionArn}`);
  for (const [name, value] of Object.entries({ taskDefinitionPath, taskDefinitionArn }))
    assert.ok(lines.includes(`##vso[task.setvariable variable=${name};isoutput=true;]${value}`), name);
});

test("An unchanged image sets the same variables", () => {
  const lines = log({ type: "done", outcome: outcome({ changed: false, effects: [] }) });
  assert.equal(lines[0], "##[section]Nothing to patch: the target is up to date");
  assert.ok(lines.includes("##vso[task.setvariable variable=changed;isoutput=true;]false"));
  assert.equal(lines.filter((line) => line.includes("task.setvariable")).length, variables.length);
});

test("A builder is passed to later steps in the variables of buildx", () => {
  const builder = { name: "arm64builder", folder: "/agent/_temp/builder" };
  const lines = log({ type: "done", outcome: outcome({ builder }) });
  assert.deepEqual(
    lines.filter((line) => line.includes("BUILDX")),
    [
      "##vso[task.setvariable variable=BUILDX_CONFIG;]/agent/_temp/builder",
      "##vso[task.setvariable variable=BUILDX_BUILDER;]arm64builder",
    ],
  );
});

test("An unknown value becomes an empty variable and no row", () => {
  const { imageReference, imageDigest, sensorVersion, sourceDigest, sourceBytes, targetBytes, ...known } =
    outcome();
  const lines = log({ type: "planned", stages: [], outcome: known });
  assert.ok(lines.includes("##vso[task.setvariable variable=imageDigest;isoutput=true;]"));
  assert.ok(!lines.some((line) => /^ {2}(Image|Sensor version|Size)/.test(line)));
});

test("Leftovers are named, and the step succeeds with issues", () => {
  const lines = log({ type: "done", outcome: outcome({ effects: [], cleanup: ["container `x`"] }) });
  assert.ok(lines.includes("Could not be cleaned up: container `x`"));
  assert.equal(lines.at(-1), "##vso[task.complete result=SucceededWithIssues;]");
  assert.equal(lines.filter((line) => line.includes("task.logissue type=warning")).length, 1);
});

test("A plan lists its steps, branches below their conditions", () => {
  const stages = [
    { steps: ["Sign in to AWS"] },
    { steps: ["Pull the source", "Pull the sensor"] },
    { steps: ["Patch natively"], onlyIf: "the native falconutil knows `--platform`" },
    { steps: ["Install the emulator"], onlyIf: "it does not" },
    { steps: ["Patch under emulation"], onlyIf: "it does not" },
    { steps: ["Push"] },
  ];
  check({ type: "planned", stages, outcome: outcome({ effects: [] }) }, [
    "##[section]Plan: this is what patching would do",
    "  1. Sign in to AWS",
    "  2. Pull the source",
    "     Pull the sensor",
    "  If the native falconutil knows `--platform`:",
    "    3. Patch natively",
    "  If it does not:",
    "    4. Install the emulator",
    "    5. Patch under emulation",
    "  6. Push",
    ...facts,
    "Nothing was changed",
    ...variables,
    "##vso[task.complete result=Succeeded;]",
  ]);
});

test("A verified image sets every output and no plain variable", () => {
  check({ type: "verified", image: verified({ sourceReference: "app/web:1", sourceDigest: digest("b") }) }, [
    "##[section]Verified: the image is patched",
    `  Image       ${registry}/app/web@${digest("a")}`,
    `  Tag         ${registry}/app/web:1.4.2-falcon`,
    "  Platform    linux/arm64",
    "  Sensor      7.39.0-7802 (by a label, not signed)",
    "  Entrypoint  /opt/CrowdStrike/rootfs/bin/falcon-entrypoint /entry.sh",
    "  Service     ECS_FARGATE",
    `  Source      app/web:1 (${digest("b")})`,
    "  Size        97.4 MB",
    "  Time        1 min 12 s",
    ...variables.slice(0, 4),
    "##vso[task.setvariable variable=sensorDigest;isoutput=true;]",
    "##vso[task.setvariable variable=sensorVersion;isoutput=true;]7.39.0-7802",
    "##vso[task.setvariable variable=changed;isoutput=true;]false",
    ...variables.slice(7, 10),
    "##vso[task.complete result=Succeeded;]",
  ]);
});

test("A deployment sets every output and no plain variable", () => {
  const lines = log({ type: "deployed", deployment: deployment() });
  assert.deepEqual(lines.slice(0, 9), [
    "##[section]Deployed to web",
    "  Service          web",
    "  Cluster          prod",
    "  Deployment       ecs-svc/1234567890123456789",
    "  Revision         arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8",
    "  Task definition  /agent/_temp/web.json",
    `  Image            ${registry}/app/web@${digest("a")}`,
    `  Tag              ${registry}/app/web:1.4.2-falcon`,
    "  Sensor           7.39.0-7802 (by a label, not signed)",
  ]);
  const set = lines.filter((line) => line.startsWith("##vso[task.setvariable"));
  assert.deepEqual(set.slice(-4), [
    "##vso[task.setvariable variable=changed;isoutput=true;]true",
    "##vso[task.setvariable variable=taskDefinitionPath;isoutput=true;]/agent/_temp/web.json",
    "##vso[task.setvariable variable=taskDefinitionArn;isoutput=true;]arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8",
    "##vso[task.setvariable variable=deploymentId;isoutput=true;]ecs-svc/1234567890123456789",
  ]);
  assert.ok(set.every((line) => line.includes(";isoutput=true;")));
  assert.ok(lines.includes("Changed:"));
});

test("A deployment that was not watched, needed or begun says so", () => {
  for (const [result, headline, changed] of [
    ["started", "Started, not watched: the deployment of web goes on", true],
    ["unneeded", "Nothing to deploy: web runs this definition with this image", false],
  ] as const) {
    const lines = log({ type: "deployed", deployment: deployment({ result, changed }) });
    assert.equal(lines[0], `##[section]${headline}`);
    assert.ok(lines.includes(`##vso[task.setvariable variable=changed;isoutput=true;]${changed}`));
  }
  const stages = [{ steps: ["Update the ECS service web"] }];
  const lines = log({ type: "deploymentPlanned", stages, deployment: deployment({ result: "planned" }) });
  assert.equal(lines[0], "##[section]Plan: this is what deploying to web would do");
  assert.equal(lines[1], "  1. Update the ECS service web");
  assert.ok(lines.includes("Nothing was changed"));
});

test("Foreign text of a deployment is neutralised", () => {
  const evil = "##vso[task.complete result=Succeeded;]\n##vso[a]";
  const lines = log({ type: "deployed", deployment: deployment({ service: evil, effects: [evil] }) });
  for (const line of lines)
    assert.doesNotMatch(line.replace(/^##vso\[task\.(setvariable|complete)/, ""), /##vso/);
});

test("Facts that a verification cannot find are named and left empty", () => {
  const { imageTag, sensorVersion, cloudService, ...known } = verified({ fromIndex: true });
  const lines = log({ type: "verified", image: known });
  assert.ok(lines.includes("  Platform    linux/arm64, selected from an index"));
  assert.ok(lines.includes("  Sensor      not recorded in the registry"));
  assert.ok(lines.includes("##vso[task.setvariable variable=sensorVersion;isoutput=true;]"));
  assert.ok(lines.includes("##vso[task.setvariable variable=imageTag;isoutput=true;]"));
});

test("The sensor of a verified image has the word by which it is known", () => {
  const unsigned = { sensorDigest: digest("c") };
  const signed = { ...unsigned, signer: "alias/falcon" };
  const { sensorVersion, ...unknown } = verified({ record: unsigned });
  for (const [image, expected] of [
    [verified({ record: unsigned }), "7.39.0-7802 (recorded, not signed)"],
    [verified({ record: signed }), "7.39.0-7802 (recorded, signed by alias/falcon)"],
    [verified(), "7.39.0-7802 (by a label, not signed)"],
    [unknown, "version unknown (recorded, not signed)"],
  ] as const) {
    const lines = log({ type: "verified", image });
    assert.equal(lines.find((line) => line.startsWith("  Sensor "))?.replace(/^ +Sensor +/, ""), expected);
    assert.ok(!lines.some((line) => line.startsWith("  Record ")), "said once");
  }
});

test("The sensor's version is a row only where the name of its image does not show it", () => {
  const lines = log({ type: "done", outcome: outcome({ sensorVersion: "7.39.0-7802" }) });
  assert.ok(!lines.some((line) => line.startsWith("  Sensor version")));
});

test("Foreign text of a verified image is neutralised", () => {
  const evil = "##vso[task.complete result=Succeeded;]\n##vso[a]";
  const lines = log({ type: "verified", image: verified({ entrypoint: [evil], containerName: evil }) });
  for (const line of lines)
    assert.doesNotMatch(line.replace(/^##vso\[task\.(setvariable|complete)/, ""), /##vso/);
});

test("A failure is one issue with its causes, hint and effects below", () => {
  const effects = ["pushed `a`", "registered the emulator"];
  check({ type: "failed", failure: failure({ step: "Push", effects, cleanup: ["image `b`"] }) }, [
    "##vso[task.logissue type=error;code=ECR_TAG_IMMUTABLE;]Cannot push `app/web:1.4.2-falcon` [ECR_TAG_IMMUTABLE]",
    "  Caused by: tag `1.4.2-falcon` already exists",
    "  step: Push",
    "  hint: Push a new tag",
    "Already done:",
    "  pushed `a`",
    "  registered the emulator",
    "Could not be cleaned up: image `b`",
    "More: ECR_TAG_IMMUTABLE in docs/troubleshooting.md",
    "##vso[task.complete result=Failed;]",
  ]);
});

test("Several invalid inputs are numbered", () => {
  const lines = log({ type: "failed", failure: failure({ why: ["`a`: is empty", "`b`: is empty"] }) });
  assert.deepEqual(lines.slice(1, 3), ["  1. `a`: is empty", "  2. `b`: is empty"]);
});

test("Foreign text in a failure is neutralised", () => {
  const evil = "##vso[task.complete result=Succeeded;]\n##vso[a]";
  const texts = { what: evil, why: [evil, evil], hint: evil, step: evil, effects: [evil], cleanup: [evil] };
  for (const line of log({ type: "failed", failure: failure(texts) })) {
    assert.doesNotMatch(line.replace(/^##vso\[task\.(logissue|complete)/, ""), /##vso/);
  }
});

test("A stopped step leaves the result to the agent", () => {
  check({ type: "cancelled", effects: ["pushed `a`"], cleanup: ["image `b`"] }, [
    "Cancelled",
    "Already done:",
    "  pushed `a`",
    "Could not be cleaned up: image `b`",
  ]);
  for (const ending of [
    { type: "done", outcome: outcome() },
    { type: "failed", failure: failure() },
  ] as const) {
    assert.ok(!log(ending, true).some((line) => line.includes("task.complete")), ending.type);
  }
});

test("A bug of the task asks for a report", () => {
  const { code, kind, what, hint } = internalFailure(new TypeError("x is undefined"));
  assert.equal(code, "TASK_INTERNAL");
  assert.equal(kind, "bug");
  assert.equal(what, "The task has a bug: x is undefined");
  assert.match(hint ?? "", /report/);
});

test("A failure for an unexpected error has its causes, then the calls that led to it", () => {
  const cause = new Error("outer cause\nin two lines", { cause: new Error("inner cause") });
  const { why } = internalFailure(new Error("Cannot run", { cause }));
  assert.deepEqual(why.slice(0, 2), ["outer cause\nin two lines", "inner cause"]);
  assert.ok(why.length > 2 && why.length <= 7, why.join("\n"));
  for (const call of why.slice(2)) assert.match(call, /^at /);
  assert.deepEqual(internalFailure("text").why, []);
});

test("A folder that cannot be written to is not a bug", () => {
  const error = Object.assign(new Error("EROFS: read-only file system, open '/t/_temp/.taskkey'"), {
    code: "EROFS",
    path: "/t/_temp/.taskkey",
  });
  const { code, kind, what, why } = unexpectedFailure(error);
  assert.deepEqual(
    [code, kind, what],
    ["TASK_FOLDER_NOT_WRITABLE", "environment", "Cannot write to `/t/_temp`"],
  );
  assert.deepEqual(why, [error.message]);
  for (const other of [
    new Error("x"),
    "text",
    undefined,
    Object.assign(new Error("x"), { code: "ENOENT", path: "/t" }),
    Object.assign(new Error("x"), { code: "EACCES" }),
  ])
    assert.equal(unexpectedFailure(other).code, "TASK_INTERNAL");
});
