// A deployment under adverse conditions: missing rights, broken answers, expired credentials, and a step that is killed.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { completed } from "../lab/ecs/frames.mjs";
import { startEcs } from "../lab/ecs.mjs";
import { Aws } from "../lab/front/aws.mjs";
import { Job, story } from "./agent.mjs";
import {
  changes,
  deployInputs,
  deployJob,
  deploymentOf,
  deployOnce,
  patchedImage,
  running,
  runningDefinition,
  sideBySide,
  starting,
} from "./deployments.mjs";
import { assertFailed, assertOrderly, assertSucceeded } from "./expect.mjs";
import { front, inLab, keys, needsLab, registry } from "./lab.mjs";

let image;

before(async () => {
  if (inLab) image = await patchedImage(`${registry}/app/target:deployed-with-faults`);
});

test("Missing rights are named, with what has happened by then", sideBySide, async (t) => {
  const cases = [
    ["DescribeServices", []],
    ["DescribeTaskDefinition", []],
    ["RegisterTaskDefinition", ["RegisterTaskDefinition"]],
    ["UpdateService", ["RegisterTaskDefinition", "UpdateService"]],
  ];
  const all = cases.map(([action, asked]) =>
    t.test(action, async () => {
      const { step, ecs } = await deployOnce(image, { denied: [action] });
      const text = `${assertFailed(step, "AWS_DENIED")}\n${story(step)}`;
      assert.match(text, new RegExp(`ecs:${action}`));
      assert.deepEqual(changes(ecs), asked);
      assert.equal(/registered `arn:/.test(text), action === "UpdateService", text);
    }),
  );
  await Promise.all(all);
});

/** A signed call to moto's ECS in the administrator's name. */
async function moto(action, parameters) {
  const { awsAccessKeyId: id, awsSecretAccessKey: secret } = keys("ADMIN");
  const body = JSON.stringify(parameters);
  const signed = new Aws(process.env.AWS_ENDPOINT_URL, { id, secret }).signature("ecs", "eu-west-1", body);
  const response = await fetch(process.env.AWS_ENDPOINT_URL, {
    method: "POST",
    headers: {
      ...signed,
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AmazonEC2ContainerServiceV20141113.${action}`,
    },
    body,
  });
  assert.equal(response.status, 200, await response.text());
}

test("A cluster or service that AWS does not have is named", needsLab, async () => {
  const job = new Job({ timed: true });
  try {
    await moto("CreateCluster", { clusterName: "empty" });
    const cluster = await job.run(deployInputs(image, { ecsCluster: "nowhere" }));
    assert.match(assertFailed(cluster, "ECS_CLUSTER_NOT_FOUND"), /nowhere/);
    const service = await job.run(deployInputs(image, { ecsCluster: "empty", ecsService: "nothing" }));
    assert.match(assertFailed(service, "ECS_SERVICE_NOT_FOUND"), /nothing/);
  } finally {
    await job.post();
    job.end();
  }
});

/** A session of the lab's role as moto gives it, in an answer that lets it expire after some seconds. */
async function session(seconds) {
  const { awsAccessKeyId: id, awsSecretAccessKey: secret } = keys("ADMIN");
  const parameters = { Action: "AssumeRole", RoleArn: process.env.LAB_ROLE_ARN, RoleSessionName: "a" };
  const body = new URLSearchParams({ ...parameters, Version: "2011-06-15" }).toString();
  const endpoint = process.env.AWS_ENDPOINT_URL;
  const signed = new Aws(endpoint, { id, secret }).signature("sts", "us-east-1", body);
  const headers = { ...signed, "content-type": "application/x-www-form-urlencoded" };
  const text = await (await fetch(endpoint, { method: "POST", headers, body })).text();
  const expires = new Date(Date.now() + seconds * 1000).toISOString();
  const answer = {
    status: 200,
    headers: { "content-type": "text/xml" },
    body: text.replace(/<Expiration>[^<]*/, `<Expiration>${expires}`),
  };
  return { key: /<AccessKeyId>(.*?)</.exec(text)[1], answer };
}

test("Credentials that expire while the step waits are renewed", needsLab, async () => {
  // Credentials are renewed five minutes before they expire.
  const [first, second] = [await session(5 * 60 + 12), await session(3600)];
  const match = { pathPattern: "aws:sts:AssumeRole$" };
  await front("POST", "/faults", { match, after: 1, answer: second.answer });
  await front("POST", "/faults", { match, count: 1, answer: first.answer });
  try {
    const frames = [starting, starting, starting, running, running, running, completed];
    const { step, ecs } = await deployOnce(image, { frames }, { awsRoleArn: process.env.LAB_ROLE_ARN });
    assertSucceeded(step);
    assert.deepEqual([...new Set(ecs.requests.map(({ key }) => key))], [first.key, second.key]);
  } finally {
    await front("DELETE", "/faults");
  }
});

const html = "<html><body>Service Unavailable</body></html>";
const broken = {
  "HTML in place of an answer": { body: html },
  "an empty answer": { body: "{}" },
  "an answer of another shape": {
    body: '{"services":[7],"taskDefinition":[],"service":7,"taskArns":7,"tasks":7}',
  },
  "a broken connection": { cut: true },
  "an unknown refusal": {
    answer: { type: "TeapotException", message: "##vso[task.complete result=Succeeded]", status: 400 },
  },
};
const actions = [
  "DescribeServices",
  "DescribeTaskDefinition",
  "RegisterTaskDefinition",
  "UpdateService",
  "DescribeServiceDeployments",
  "ListTasks",
  "DescribeTasks",
];

test("Nothing that ECS answers breaks the step", sideBySide, async (t) => {
  const pairs = actions.flatMap((action) =>
    Object.entries(broken).map(([what, fault]) => [action, what, fault]),
  );
  const all = pairs.map(([action, what, fault]) =>
    t.test(`${action}: ${what}`, async () => {
      // Three, as often as a request is repeated.
      const faults = [{ action, count: 3, ...fault }];
      const { step, ecs, left } = await deployOnce(image, { frames: [running, running, completed], faults });
      assertOrderly(step);
      if (step.result === "Failed") assert.match(step.errors[0].code, /^(AWS|ECS)_/, story(step));
      else assert.equal(step.outputs.deploymentId, deploymentOf(ecs), story(step));
      for (const changing of ["RegisterTaskDefinition", "UpdateService"])
        if (changing !== action || !fault.answer)
          assert.ok(ecs.count(changing) <= 1, `${changing} is repeated`);
      assert.deepEqual(left, []);
    }),
  );
  await Promise.all(all);
});

/** The end of a step of the run. */
const stepEnd = /: (done in|failed after) \d/;
const runEnd = /^##\[section\]/;

/** Kills a deployment after so many of its steps, and deploys again; returns false if it was over by then. */
async function killAfter(ended) {
  const definition = runningDefinition("example/web:before");
  const ecs = await startEcs({ definition, frames: [starting, completed] });
  try {
    const killed = deployJob(ecs);
    const step = killed.start(deployInputs(image));
    const seen = (pattern) => step.raw.filter(({ line }) => pattern.test(line)).length;
    while (seen(stepEnd) < ended && seen(runEnd) === 0 && step.child.exitCode === null) await sleep(5);
    const isOver = seen(runEnd) > 0;
    step.child.kill("SIGKILL");
    await step.done;
    const post = await killed.post();
    assert.deepEqual([post.warnings, killed.files()], [[], []], post.text);
    killed.end();
    const again = deployJob(ecs);
    const healed = await again.run(deployInputs(image));
    assertSucceeded(healed);
    await again.post();
    again.end();
    const [running] = ecs.service.describe().deployments;
    assert.equal(ecs.definitions.image(running.taskDefinition, "web"), image);
    assert.equal(running.rolloutState, "COMPLETED");
    return !isOver;
  } finally {
    await ecs.close();
  }
}

test("A deployment can be killed after each of its steps, and the next run heals it", needsLab, async () => {
  let ended = 0;
  while (await killAfter(ended)) ended += 1;
  assert.ok(ended >= 6, `only ${ended} steps were seen`);
});
