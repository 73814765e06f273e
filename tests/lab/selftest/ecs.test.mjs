// The stand-in of ECS answers in ECS's own shapes, by the model that the AWS CLI has, and as the service is known to behave.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as frames from "../ecs/frames.mjs";
import { startEcs } from "../ecs.mjs";

const definition = {
  family: "web-service",
  cpu: "256",
  memory: "512",
  containerDefinitions: [{ name: "web", image: `example/web@sha256:${"a".repeat(64)}` }],
  tags: [{ key: "team", value: "a" }],
};
const service = { cluster: "production", services: ["web"] };
const update = { cluster: "production", service: "web" };
const { failed, rollingBack, rolledBack, byAlarm, byHand, paused, stage, stopped, event } = frames;

/** Every frame that exists, each with what it can carry. */
const every = [
  frames.progress({ pending: 2 }, { status: "PENDING", events: [event.started] }),
  stage("TEST_TRAFFIC_SHIFT"),
  paused(),
  frames.draining,
  frames.completed,
  failed({ stopped: Object.values(stopped) }),
  rollingBack(),
  rollingBack(byHand),
  rolledBack(),
  rolledBack(byAlarm),
  frames.rollbackFailed,
  frames.superseded,
  frames.supersededAndGone,
];

async function withEcs(options, use) {
  const ecs = await startEcs({ definition, ...options });
  const ask = async (action, body) => {
    const headers = { "x-amz-target": `AmazonEC2ContainerServiceV20141113.${action}` };
    const response = await fetch(ecs.url, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: response.status, ...(await response.json()) };
  };
  try {
    await use(ecs, ask);
  } finally {
    await ecs.close();
  }
}

/** Registers another revision and begins its deployment. */
async function begin(ask) {
  const { taskDefinition } = await ask("RegisterTaskDefinition", definition);
  await ask("UpdateService", { ...update, taskDefinition: taskDefinition.taskDefinitionArn });
  return taskDefinition.taskDefinitionArn;
}

test("Every answer in every state has the shape of ECS's model", () =>
  withEcs({ frames: every }, async (_, ask) => {
    const folder = mkdtempSync(join(tmpdir(), "falcon-lab-"));
    const checked = async (action, body) => {
      const { status, ...answer } = await ask(action, body);
      assert.equal(status, 200, JSON.stringify(answer));
      const path = join(folder, "answer.json");
      writeFileSync(path, JSON.stringify(answer));
      execFileSync("ecs-model", [path, action], { stdio: "pipe" });
      return answer;
    };
    try {
      await checked("RegisterTaskDefinition", definition);
      await checked("DescribeTaskDefinition", { taskDefinition: "web-service:7", include: ["TAGS"] });
      await checked("DescribeClusters", { clusters: ["production", "other"] });
      await checked("DescribeServices", { ...service, services: ["web", "other"] });
      await checked("UpdateService", { ...update, taskDefinition: "web-service:8" });
      for (const _ of every) {
        const { services } = await checked("DescribeServices", service);
        const { serviceDeployments } = await checked("ListServiceDeployments", update);
        const serviceDeploymentArns = serviceDeployments.map((each) => each.serviceDeploymentArn);
        await checked("DescribeServiceDeployments", { serviceDeploymentArns });
        for (const desiredStatus of ["RUNNING", "STOPPED"]) {
          const { taskArns } = await checked("ListTasks", {
            cluster: "production",
            serviceName: "web",
            desiredStatus,
          });
          await checked("DescribeTasks", { cluster: "production", tasks: taskArns });
        }
        assert.equal(services.length, 1);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }));

test("A rollback is a new deployment of the old revision, and looks green to the usual waiter", () =>
  withEcs({ frames: [frames.progress({ pending: 2 }), rollingBack(), rolledBack()] }, async (ecs, ask) => {
    const before = (await ask("DescribeServices", service)).services[0].deployments[0];
    const arn = await begin(ask);
    const look = async () => (await ask("DescribeServices", service)).services[0].deployments;
    assert.deepEqual(
      (await look()).map(({ id }) => id),
      [ecs.service.ours.id, before.id],
    );
    const [back, ours] = await look();
    assert.deepEqual([ours.taskDefinition, ours.rolloutState], [arn, "FAILED"]);
    assert.equal(back.taskDefinition, before.taskDefinition);
    assert.notEqual(back.id, before.id);
    const [only, ...others] = await look();
    assert.deepEqual(others, []);
    assert.equal(only.runningCount, only.desiredCount);
  }));

test("The same revision begins a deployment only by force", () =>
  withEcs({ frames: [frames.completed] }, async (ecs, ask) => {
    await ask("UpdateService", { ...update, taskDefinition: "web-service:7" });
    assert.equal(ecs.service.ours, undefined);
    await ask("UpdateService", { ...update, forceNewDeployment: true });
    assert.ok(ecs.service.ours);
  }));

test("Refusals are those of ECS", () =>
  withEcs({ service: { status: "INACTIVE" }, denied: ["ListTasks"] }, async (_, ask) => {
    const refused = async (action, body) => {
      const { status, __type } = await ask(action, body);
      return `${status} ${__type}`;
    };
    const unknown = { ...update, cluster: "other" };
    assert.equal(await refused("UpdateService", unknown), "400 ClusterNotFoundException");
    assert.equal(await refused("UpdateService", { ...update, service: "x" }), "400 ServiceNotFoundException");
    assert.equal(await refused("UpdateService", update), "400 ServiceNotActiveException");
    assert.equal(await refused("ListTasks", update), "400 AccessDeniedException");
    assert.equal(
      await refused("DescribeTaskDefinition", { taskDefinition: "web-service:99" }),
      "400 ClientException",
    );
  }));

test("Faults hit one action, some times, with or without its effect", () => {
  const lost = { action: "UpdateService", lose: true };
  const throttled = { action: "DescribeServices", throttle: true, after: 1, count: 2 };
  return withEcs({ frames: [frames.completed], faults: [lost, throttled] }, async (ecs, ask) => {
    const arn = (await ask("RegisterTaskDefinition", definition)).taskDefinition.taskDefinitionArn;
    await assert.rejects(ask("UpdateService", { ...update, taskDefinition: arn }));
    assert.equal(ecs.service.ours.taskDefinition, arn, "obeyed");
    const statuses = [];
    for (let look = 0; look < 4; look += 1) statuses.push((await ask("DescribeServices", service)).status);
    assert.deepEqual(statuses, [200, 400, 400, 200]);
  });
});
